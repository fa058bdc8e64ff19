import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import type { DagGrid, DagRun, TaskInstance } from "@/api/types";
import { cx } from "@/lib/cx";
import { dateTime, duration } from "@/lib/format";
import { Button } from "@/ui/button";
import { fillOf, runName, span } from "./states";

const CELL = 22;
const BARS = 72;

/** Runs by tasks, the newest run at the right. Only what is in view exists as elements. */
export function RunGrid({ grid, now, onMore }: { grid: DagGrid; now: number; onMore?: () => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const runs = useMemo(() => [...grid.runs].reverse(), [grid.runs]);
  const spans = runs.map((r) => span(r.start_date, r.end_date, now) ?? 0);
  const longest = Math.max(1, ...spans);
  const columns = useVirtualizer({
    horizontal: true,
    count: runs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => CELL,
    overscan: 8,
  });
  const rows = useVirtualizer({
    count: grid.tasks.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => CELL + 6,
    overscan: 8,
  });
  // The newest run is what one comes for.
  useEffect(() => {
    const element = scroller.current;
    if (element) element.scrollLeft = element.scrollWidth;
  }, []);
  const shownRows = rows.getVirtualItems();
  return (
    <div ref={scroller} className="min-h-0 grow overflow-auto bg-panel">
      <div
        className="relative grid min-w-fit grid-cols-[minmax(150px,260px)_auto] pb-4 pr-6"
        style={{ width: columns.getTotalSize() + 290 }}
      >
        <div className="sticky left-0 z-10 border-r bg-panel">
          <div
            className="flex flex-col justify-between px-4 py-2 text-2xs text-faint"
            style={{ height: BARS + 8 }}
          >
            <span>{duration(longest)}</span>
            {onMore ? (
              <Button size="sm" className="self-start" onClick={onMore}>
                Older runs
              </Button>
            ) : (
              <span>0 s</span>
            )}
          </div>
          <div className="relative" style={{ height: rows.getTotalSize() }}>
            {shownRows.map((row) => {
              const task = grid.tasks[row.index]!;
              return (
                <div
                  key={task.task_id}
                  className="absolute flex w-full items-center gap-2 px-4"
                  style={{ height: row.size, top: row.start }}
                  title={task.operator_name ?? undefined}
                >
                  <span className="truncate font-mono text-xs">{task.task_id}</span>
                </div>
              );
            })}
          </div>
        </div>
        <div className="relative ml-2" style={{ width: columns.getTotalSize() }}>
          {columns.getVirtualItems().map((column) => (
            <RunColumn
              key={runs[column.index]!.dag_run_id}
              grid={grid}
              run={runs[column.index]!}
              took={spans[column.index]!}
              part={spans[column.index]! / longest}
              left={column.start}
              rows={shownRows.map((r) => ({ index: r.index, top: r.start, height: r.size }))}
            />
          ))}
        </div>
      </div>
      <Legend />
    </div>
  );
}

function RunColumn({
  grid,
  run,
  took,
  part,
  left,
  rows,
}: {
  grid: DagGrid;
  run: DagRun;
  took: number;
  part: number;
  left: number;
  rows: { index: number; top: number; height: number }[];
}) {
  const params = { dag: grid.dag.dag_id, run: run.dag_run_id };
  const instances = grid.instances[run.dag_run_id] ?? {};
  return (
    <div
      className="absolute top-0 flex h-full flex-col rounded-sm hover:bg-hover"
      style={{ left, width: CELL }}
    >
      <Link
        to="/dags/$dag/runs/$run"
        params={params}
        aria-label={`Run ${runName(run.dag_run_id)}: ${run.state}`}
        title={`${runName(run.dag_run_id)}\n${run.run_type} · ${run.state} · ${duration(took)}`}
        className="flex flex-col items-center justify-end border-b pb-1"
        style={{ height: BARS + 8 }}
      >
        {run.run_type === "manual" && <span className="mb-0.5 text-[8px] leading-2 text-faint">▶</span>}
        <span
          className={cx("w-3 rounded-t-[3px]", fillOf(run.state), run.state === "running" && "pulse")}
          style={{ height: Math.max(3, part * (BARS - 16)) }}
        />
      </Link>
      <div className="relative grow">
        {rows.map((row) => {
          const task = grid.tasks[row.index]!;
          return (
            <Link
              key={task.task_id}
              to="/dags/$dag/runs/$run"
              params={params}
              search={{ task: task.task_id }}
              aria-label={`${task.task_id}: ${instances[task.task_id]?.state ?? "not started"}`}
              title={describe(task.task_id, instances[task.task_id])}
              className="absolute flex w-full items-center justify-center"
              style={{ top: row.top, height: row.height }}
            >
              <Square instance={instances[task.task_id]} />
            </Link>
          );
        })}
      </div>
    </div>
  );
}

/** A state is told by colour and by a mark. */
function Square({ instance }: { instance: TaskInstance | undefined }) {
  const state = instance?.state;
  if (!state) return <span className="size-4 rounded-[4px] border border-line-strong" />;
  return (
    <span
      className={cx(
        "inline-flex size-4 items-center justify-center rounded-[4px] text-[10px] leading-none font-bold text-[#fff]",
        fillOf(state),
        state === "running" && "pulse",
      )}
    >
      {state === "failed" ? "×" : state === "skipped" ? "–" : state === "upstream_failed" ? "!" : ""}
    </span>
  );
}

function describe(task: string, instance: TaskInstance | undefined): string {
  if (!instance?.state) return `${task}: not started`;
  const took = instance.duration === null ? "" : ` · ${duration(instance.duration * 1000)}`;
  const tries = instance.try_number > 1 ? ` · try ${instance.try_number}` : "";
  return `${task}: ${instance.state}${took}${tries}\n${dateTime(instance.start_date)}`;
}

const STATES = ["success", "running", "failed", "up_for_retry", "upstream_failed", "skipped", "queued"];

function Legend() {
  return (
    <ul className="sticky left-0 flex w-[min(100%,100vw)] flex-wrap gap-x-4 gap-y-1 border-t px-4 py-3 text-xs text-soft">
      {STATES.map((state) => (
        <li key={state} className="flex items-center gap-1.5">
          <span className={cx("size-2.5 rounded-[3px]", fillOf(state))} />
          {state.replaceAll("_", " ")}
        </li>
      ))}
    </ul>
  );
}
