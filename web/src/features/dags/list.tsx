import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { CalendarClock, CircleAlert } from "lucide-react";
import { client, dagsQuery, setPaused } from "@/api/queries";
import type { Dag, DagSummary } from "@/api/types";
import { scheduleText } from "@/lib/cron";
import { cx } from "@/lib/cx";
import { ago, duration } from "@/lib/format";
import { useNow } from "@/lib/now";
import { matches } from "@/lib/sort";
import { Badge, State } from "@/ui/badge";
import { SearchInput } from "@/ui/field";
import { Fact, PageHead, Toolbar } from "@/ui/page";
import { EmptyState, Loaded } from "@/ui/states";
import { Switch } from "@/ui/switch";
import { type Column, DataTable } from "@/ui/table";
import { fillOf, runName, span } from "./states";

const route = getRouteApi("/dags");

export function DagsPage() {
  const dags = useQuery(dagsQuery);
  const search = route.useSearch();
  const setSearch = route.useNavigate();
  const navigate = useNavigate();
  const now = useNow();
  const columns: Column<DagSummary>[] = [
    { id: "paused", header: "On", track: "36px", cell: (d) => <PauseSwitch dag={d.dag} /> },
    {
      id: "dag",
      header: "DAG",
      track: "minmax(150px,2fr)",
      cell: (d) => (
        <div className="leading-4">
          <div className="flex items-center gap-2">
            <span className="truncate font-mono text-xs font-medium">{d.dag.dag_id}</span>
            {d.dag.has_import_errors && <Badge tone="bad">import error</Badge>}
          </div>
          <div className="truncate text-2xs text-faint">{d.dag.description ?? d.dag.fileloc}</div>
        </div>
      ),
    },
    {
      id: "schedule",
      header: "Schedule",
      track: "minmax(96px,1fr)",
      from: "md",
      cell: (d) => <Schedule dag={d.dag} />,
    },
    {
      id: "runs",
      header: "Last runs",
      track: "140px",
      from: "sm",
      cell: (d) => <RunBars summary={d} now={now} />,
    },
    {
      id: "last",
      header: "Newest",
      track: "minmax(110px,1fr)",
      cell: (d) => {
        const run = d.runs[0];
        return run ? <State state={run.state} /> : <span className="text-faint">never ran</span>;
      },
    },
    {
      id: "next",
      header: "Next",
      track: "92px",
      align: "right",
      from: "md",
      cell: (d) => {
        const at = d.dag.next_dagrun_run_after ?? d.dag.next_dagrun_logical_date;
        return d.dag.is_paused || !at ? (
          <span className="text-faint">{d.dag.is_paused ? "paused" : "–"}</span>
        ) : (
          ago(Date.parse(at), now)
        );
      },
    },
  ];
  return (
    <>
      <PageHead
        title="DAGs"
        meta={
          dags.data && (
            <Fact name={dags.data.dags.length === 1 ? "DAG" : "DAGs"}>{dags.data.dags.length}</Fact>
          )
        }
      />
      <Toolbar>
        <SearchInput
          className="w-full sm:w-72"
          placeholder="Filter by id, tag or owner"
          value={search.q ?? ""}
          onChange={(q) => setSearch({ search: q ? { q } : {}, replace: true })}
        />
      </Toolbar>
      <Loaded query={dags}>
        {(data) => {
          const shown = data.dags.filter(
            (d) =>
              !search.q ||
              matches(
                [d.dag.dag_id, ...(d.dag.tags ?? []).map((t) => t.name), ...(d.dag.owners ?? [])].join(" "),
                search.q,
              ),
          );
          return (
            <>
              {data.import_errors.map((error) => (
                <ImportError key={error.filename} {...error} />
              ))}
              {data.dags.length === 0 && data.import_errors.length === 0 && <NoDags />}
              {data.dags.length > 0 && shown.length === 0 && (
                <p className="px-4 py-12 text-center text-soft">No DAG matches “{search.q}”.</p>
              )}
              {shown.length > 0 && (
                <DataTable
                  label="DAGs"
                  columns={columns}
                  rows={shown}
                  rowKey={(d) => d.dag.dag_id}
                  rowHeight={52}
                  onOpen={(d) => navigate({ to: "/dags/$dag", params: { dag: d.dag.dag_id } })}
                />
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

export function Schedule({ dag }: { dag: Dag }) {
  if (!dag.timetable_summary) return <span className="text-faint">on demand</span>;
  const title = [dag.timetable_summary, dag.timetable_description].filter(Boolean).join("\n");
  return (
    <span title={title} className="truncate">
      {scheduleText(dag.timetable_summary)}
    </span>
  );
}

export function PauseSwitch({ dag }: { dag: Dag }) {
  const pause = useMutation({
    mutationFn: (on: boolean) => setPaused(dag.dag_id, !on),
    onSettled: () =>
      client.invalidateQueries({
        predicate: (q) => q.queryKey[0] === "dags" || q.queryKey[1] === dag.dag_id,
      }),
  });
  const on = pause.isPending ? pause.variables : !dag.is_paused;
  return (
    <Switch
      checked={on}
      label={`${on ? "Pause" : "Unpause"} ${dag.dag_id}`}
      onChange={(next) => pause.mutate(next)}
    />
  );
}

/** One bar a run, oldest at the left; its height is how long it took. */
function RunBars({ summary, now }: { summary: DagSummary; now: number }) {
  const runs = [...summary.runs].reverse();
  const spans = runs.map((r) => span(r.start_date, r.end_date, now) ?? 0);
  const top = Math.max(1, ...spans);
  return (
    <div className="flex h-8 items-end gap-[3px]">
      {runs.map((run, i) => (
        <Link
          key={run.dag_run_id}
          to="/dags/$dag/runs/$run"
          params={{ dag: summary.dag.dag_id, run: run.dag_run_id }}
          onClick={(event) => event.stopPropagation()}
          aria-label={`Run ${runName(run.dag_run_id)}: ${run.state}`}
          title={`${runName(run.dag_run_id)} · ${run.state} · ${duration(spans[i])}`}
          className="flex h-full items-end"
        >
          <span
            className={cx("w-[7px] rounded-[2px]", fillOf(run.state), run.state === "running" && "pulse")}
            style={{ height: `${15 + (spans[i]! / top) * 85}%` }}
          />
        </Link>
      ))}
    </div>
  );
}

/** Python tells the error last, after its traceback; others tell it first. */
function gist(trace: string): string {
  const lines = trace.trim().split("\n");
  return (trace.includes("Traceback") ? lines.at(-1) : lines[0]) ?? "";
}

function ImportError({ filename, stack_trace }: { filename: string; stack_trace: string }) {
  return (
    <details className="border-b bg-bad-soft">
      <summary className="flex items-center gap-2 px-4 py-2 text-bad">
        <CircleAlert className="size-4 shrink-0" />
        <span className="font-mono text-xs font-medium">{filename}</span>
        <span className="truncate">{gist(stack_trace)}</span>
      </summary>
      <pre className="overflow-x-auto px-4 pb-3 font-mono text-xs">{stack_trace}</pre>
    </details>
  );
}

const EXAMPLE = `cat > dags/hello.yaml <<'END'
dag_id: hello
schedule: "@hourly"
tasks:
  - task_id: greet
    bash: echo hello
END`;

function NoDags() {
  return (
    <EmptyState icon={<CalendarClock />} title="No DAGs yet" command={EXAMPLE}>
      Put a DAG file into the project's folder <span className="font-mono text-xs">dags/</span>: it shows here
      within a second.
    </EmptyState>
  );
}
