import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { CalendarClock, Play } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { gridQuery, sourceQuery } from "@/api/queries";
import type { DagGrid } from "@/api/types";
import { ago } from "@/lib/format";
import { useNow } from "@/lib/now";
import { Badge, State } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CodeBlock } from "@/ui/code";
import { PageHead, TabBar } from "@/ui/page";
import { EmptyState, Loaded } from "@/ui/states";
import { RunGrid } from "./grid";
import { PauseSwitch, Schedule } from "./list";
import { TriggerModal } from "./trigger";

const TaskGraph = lazy(() => import("./graph").then((m) => ({ default: m.TaskGraph })));

const route = getRouteApi("/dags/$dag");
const RUNS = 40;

export function DagPage() {
  const { dag } = route.useParams();
  const [limit, setLimit] = useState(RUNS);
  const grid = useQuery({ ...gridQuery(dag, limit), placeholderData: (old) => old });
  return (
    <Loaded query={grid}>
      {(data) => <Body grid={data} limit={limit} onMore={() => setLimit(limit * 3)} />}
    </Loaded>
  );
}

function Body({ grid, limit, onMore }: { grid: DagGrid; limit: number; onMore: () => void }) {
  const { tab = "grid", trigger = false } = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow();
  const { dag } = grid;
  const newest = grid.runs[0];
  const next = dag.next_dagrun_run_after ?? dag.next_dagrun_logical_date;
  const setTrigger = (open: boolean) =>
    navigate({ search: (old) => ({ ...old, trigger: open || undefined }) as never, replace: true });
  return (
    <>
      <PageHead
        title={dag.dag_id}
        mono
        meta={
          <>
            <Schedule dag={dag} />
            {newest && (
              <Link
                to="/dags/$dag/runs/$run"
                params={{ dag: dag.dag_id, run: newest.dag_run_id }}
                className="hover:underline"
              >
                <State state={newest.state} />
              </Link>
            )}
            {!dag.is_paused && next && <span>next {ago(Date.parse(next), now)}</span>}
            {dag.is_paused && <Badge tone="warn">paused</Badge>}
            {(dag.tags ?? []).map((tag) => (
              <Badge key={tag.name}>{tag.name}</Badge>
            ))}
          </>
        }
        actions={
          <>
            <span className="mr-1 flex items-center gap-2 text-xs text-soft">
              <PauseSwitch dag={dag} /> {dag.is_paused ? "Paused" : "On"}
            </span>
            <Button look="primary" onClick={() => setTrigger(true)}>
              <Play className="size-3.5" /> Trigger
            </Button>
          </>
        }
      >
        <TabBar
          label="Views of the DAG"
          tabs={(["grid", "graph", "code"] as const).map((id) => ({
            label: { grid: "Runs", graph: "Graph", code: "Code" }[id],
            active: tab === id,
            link: { to: "/dags/$dag", params: { dag: dag.dag_id }, search: id === "grid" ? {} : { tab: id } },
          }))}
        />
      </PageHead>
      {tab === "grid" && grid.runs.length === 0 && (
        <EmptyState
          icon={<CalendarClock />}
          title="This DAG has not run yet"
          command={`tidemill dag trigger ${dag.dag_id} --wait`}
          action={
            <Button look="primary" onClick={() => setTrigger(true)}>
              <Play className="size-3.5" /> Trigger a run
            </Button>
          }
        >
          {dag.is_paused
            ? "It is paused, so its schedule makes no runs. Switch it on, or trigger one run by hand."
            : "Its first run comes with its schedule. To see it work now, trigger a run."}
        </EmptyState>
      )}
      {tab === "grid" && grid.runs.length > 0 && (
        <RunGrid grid={grid} now={now} {...(grid.runs.length >= limit ? { onMore } : {})} />
      )}
      {tab === "graph" && (
        <Suspense fallback={null}>
          <TaskGraph tasks={grid.tasks} states={newest ? (grid.instances[newest.dag_run_id] ?? {}) : {}} />
        </Suspense>
      )}
      {tab === "code" && <Code dag={dag.dag_id} file={dag.fileloc ?? ""} />}
      <TriggerModal dag={dag} open={trigger} onClose={() => setTrigger(false)} />
    </>
  );
}

function Code({ dag, file }: { dag: string; file: string }) {
  const source = useQuery(sourceQuery(dag));
  return (
    <Loaded query={source}>
      {(data) => (
        <div className="min-h-0 grow overflow-y-auto p-4">
          <p className="mb-2 font-mono text-xs text-soft">{file}</p>
          <CodeBlock
            code={data.content}
            language={file.endsWith(".py") ? "python" : "yaml"}
            className="bg-panel"
            tall
          />
        </div>
      )}
    </Loaded>
  );
}
