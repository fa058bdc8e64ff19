import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft, ArrowRight, CircleAlert } from "lucide-react";
import { isOver, runQuery } from "@/api/queries";
import type { DagTask, RunDetail, TaskInstance } from "@/api/types";
import { cx } from "@/lib/cx";
import { count, dateTime, duration } from "@/lib/format";
import { useNow } from "@/lib/now";
import { Badge, State } from "@/ui/badge";
import { PageHead } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { TaskLogView } from "./log";
import { fillOf, runName, span } from "./states";

const route = getRouteApi("/dags/$dag/runs/$run");

export function RunPage() {
  const { dag, run } = route.useParams();
  const detail = useQuery(runQuery(dag, run));
  return <Loaded query={detail}>{(data) => <Body detail={data} dag={dag} />}</Loaded>;
}

function Body({ detail, dag }: { detail: RunDetail; dag: string }) {
  const { run } = detail;
  const now = useNow();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const instances = inOrder(detail);
  const chosen =
    instances.find(
      (i) => i.task_id === search.task && (search.map === undefined || i.map_index === search.map),
    ) ?? worthSeeing(instances);
  const select = (i: TaskInstance) =>
    navigate({
      search: (i.map_index ?? -1) >= 0 ? { task: i.task_id, map: i.map_index! } : { task: i.task_id },
      replace: true,
    });
  return (
    <>
      <PageHead
        title={<span className="text-lg">{runName(run.dag_run_id)}</span>}
        meta={
          <>
            <State state={run.state} />
            <Badge>{run.run_type}</Badge>
            <span>{duration(span(run.start_date, run.end_date, now))}</span>
            <span className="font-mono text-xs text-faint">{run.dag_run_id}</span>
          </>
        }
        actions={
          <Link
            to="/dags/$dag"
            params={{ dag }}
            className="inline-flex h-8 items-center gap-1.5 rounded-md px-2 text-sm text-soft hover:bg-hover hover:text-ink"
          >
            <ArrowLeft className="size-3.5" /> All runs
          </Link>
        }
      />
      <div className="flex min-h-0 grow flex-col overflow-y-auto lg:overflow-hidden">
        <Arrived results={detail.results} state={run.state} />
        <Reasons instances={instances} onSelect={select} />
        {run.note && <p className="border-b bg-panel px-4 py-2 whitespace-pre-wrap text-soft">{run.note}</p>}
        <div className="shrink-0 overflow-y-auto border-b bg-panel lg:max-h-[45%]">
          <ul aria-label="Tasks">
            {instances.map((instance) => (
              <TaskRow
                key={`${instance.task_id} ${instance.map_index ?? -1}`}
                instance={instance}
                detail={detail}
                now={now}
                selected={instance === chosen}
                onSelect={() => select(instance)}
              />
            ))}
          </ul>
        </div>
        {chosen && (
          <TaskLogView
            key={`${chosen.task_id} ${chosen.map_index ?? -1}`}
            dag={dag}
            instance={chosen}
            attempt={search.attempt}
            onAttempt={(attempt) =>
              navigate({ search: (old) => ({ ...old, task: chosen.task_id, attempt }), replace: true })
            }
          />
        )}
      </div>
    </>
  );
}

/** Why tasks failed, in the scheduler's own words. */
function Reasons({
  instances,
  onSelect,
}: {
  instances: TaskInstance[];
  onSelect: (instance: TaskInstance) => void;
}) {
  const told = instances.filter((i) => i.state === "failed" && i.tidemill_reason);
  return told.slice(0, 3).map((instance) => (
    <button
      type="button"
      key={`${instance.task_id} ${instance.map_index ?? -1}`}
      onClick={() => onSelect(instance)}
      className="flex w-full items-start gap-2.5 border-b bg-bad-soft px-4 py-2 text-left"
    >
      <CircleAlert className="mt-0.5 size-4 shrink-0 text-bad" />
      <span className="min-w-0 break-words">
        <span className="font-medium text-bad">{instance.task_id} failed: </span>
        {instance.tidemill_reason}
      </span>
    </button>
  ));
}

/** In the order of the DAG: what others wait for comes first. */
function inOrder({ tasks, instances }: RunDetail): TaskInstance[] {
  const rank = new Map<string, number>();
  const visit = (task: DagTask, depth: number) => {
    if ((rank.get(task.task_id) ?? -1) >= depth || depth > tasks.length) return;
    rank.set(task.task_id, depth);
    for (const next of task.downstream_task_ids) {
      const found = tasks.find((t) => t.task_id === next);
      if (found) visit(found, depth + 1);
    }
  };
  for (const task of tasks) visit(task, 0);
  return [...instances].sort(
    (a, b) =>
      (rank.get(a.task_id) ?? 0) - (rank.get(b.task_id) ?? 0) ||
      a.task_id.localeCompare(b.task_id) ||
      (a.map_index ?? -1) - (b.map_index ?? -1),
  );
}

/** The task whose log one wants first: what failed, else what runs, else the last that ran. */
function worthSeeing(instances: TaskInstance[]): TaskInstance | undefined {
  return (
    instances.find((i) => i.state === "failed") ??
    instances.find((i) => i.state === "running" || i.state === "up_for_retry") ??
    [...instances].sort((a, b) => (b.duration ?? 0) - (a.duration ?? 0))[0]
  );
}

function TaskRow({
  instance,
  detail,
  now,
  selected,
  onSelect,
}: {
  instance: TaskInstance;
  detail: RunDetail;
  now: number;
  selected: boolean;
  onSelect: () => void;
}) {
  const start = Date.parse(detail.run.start_date ?? instance.start_date ?? "");
  const whole = Math.max(1, span(detail.run.start_date, detail.run.end_date, now) ?? 1);
  const took = span(instance.start_date, instance.end_date, now);
  const left = instance.start_date ? ((Date.parse(instance.start_date) - start) / whole) * 100 : 0;
  const mapped = (instance.map_index ?? -1) >= 0;
  return (
    <li>
      <button
        type="button"
        aria-pressed={selected}
        onClick={onSelect}
        className={cx(
          "grid w-full grid-cols-[minmax(130px,240px)_minmax(90px,130px)_1fr] items-center gap-3 border-b px-4 py-1.5 text-left outline-offset-[-2px] sm:grid-cols-[minmax(130px,240px)_130px_1fr_80px]",
          selected ? "bg-brand-soft" : "hover:bg-hover",
        )}
      >
        <span className="truncate font-mono text-xs font-medium">
          {instance.task_id}
          {mapped && <span className="text-faint">[{instance.map_index}]</span>}
        </span>
        <span className="text-xs">
          <State state={instance.state ?? "not started"} />
        </span>
        <span
          className="relative h-3.5 rounded-sm bg-sunken"
          title={`${dateTime(instance.start_date)} – ${dateTime(instance.end_date)}`}
        >
          {took !== null && (
            <span
              className={cx(
                "absolute inset-y-0 min-w-[3px] rounded-sm",
                fillOf(instance.state),
                instance.state === "running" && "pulse",
              )}
              style={{
                left: `${Math.min(99, Math.max(0, left))}%`,
                width: `${Math.min(100 - left, (took / whole) * 100)}%`,
              }}
            />
          )}
        </span>
        <span className="hidden text-right text-xs text-soft sm:block">
          {duration(took)}
          {instance.try_number > 1 && <span className="text-warn"> ×{instance.try_number}</span>}
        </span>
      </button>
    </li>
  );
}

interface Moved {
  fetched?: number;
  produced?: number;
  rejected?: number;
}

/** Expected against arrived: a green run that moved nothing is shown for what it is. */
function Arrived({ results, state }: { results: Record<string, unknown>; state: string }) {
  const moved = Object.values(results).filter(
    (r): r is Moved => r !== null && typeof r === "object" && "produced" in r,
  );
  if (moved.length === 0) return null;
  const sum = (key: keyof Moved) => moved.reduce((total, m) => total + (m[key] ?? 0), 0);
  const [fetched, produced, rejected] = [sum("fetched"), sum("produced"), sum("rejected")];
  const lost = fetched - produced - rejected;
  const empty = produced === 0 && isOver(state);
  return (
    <div
      className={cx(
        "flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-2 text-sm",
        empty || lost > 0 ? "bg-warn-soft text-warn" : "bg-panel text-soft",
      )}
    >
      <span>
        <b className="font-medium text-ink">{count(fetched)}</b> fetched
      </span>
      <ArrowRight className="size-3.5 text-faint" />
      <span>
        <b className="font-medium text-ink">{count(produced)}</b> produced
      </span>
      {rejected > 0 && (
        <span>
          <b className="font-medium text-ink">{count(rejected)}</b> rejected
        </span>
      )}
      {empty && <span className="font-medium">This run moved no record.</span>}
      {lost > 0 && (
        <span className="font-medium">{count(lost)} fetched records were neither produced nor rejected.</span>
      )}
    </div>
  );
}
