import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { isOver, logQuery } from "@/api/queries";
import type { LogLine, TaskInstance, TaskLog } from "@/api/types";
import { cx } from "@/lib/cx";
import { clock, count } from "@/lib/format";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/code";
import { SearchInput } from "@/ui/field";
import { Loaded } from "@/ui/states";

/** The log of one task, by try; it follows while the task runs. */
export function TaskLogView({
  dag,
  instance,
  attempt,
  onAttempt,
}: {
  dag: string;
  instance: TaskInstance;
  attempt: number | undefined;
  onAttempt: (attempt: number) => void;
}) {
  const newest = Math.max(1, instance.try_number);
  const shown = Math.min(attempt ?? newest, newest);
  const live = shown === newest && instance.state !== null && !isOver(instance.state);
  const log = useQuery({
    ...logQuery(dag, instance.dag_run_id, instance.task_id, shown, instance.map_index ?? -1, live),
    enabled: instance.try_number > 0 || instance.state !== null,
  });
  // One more look when it is over: the last lines come with the end.
  const { refetch } = log;
  useEffect(() => {
    if (!live) void refetch();
  }, [live, refetch]);
  const [filter, setFilter] = useState("");
  return (
    <section
      aria-label={`Log of ${instance.task_id}`}
      className="flex min-h-[360px] grow flex-col lg:min-h-0"
    >
      <header className="flex shrink-0 flex-wrap items-center gap-2 border-b bg-panel px-4 py-1.5">
        <h2 className="font-mono text-xs font-medium">{instance.task_id}</h2>
        <div role="radiogroup" aria-label="Try" className="flex gap-1">
          {Array.from({ length: newest }, (_, i) => i + 1)
            .slice(-8)
            .map((n) => (
              <button
                key={n}
                type="button"
                role="radio"
                aria-checked={n === shown}
                onClick={() => onAttempt(n)}
                className={cx(
                  "h-6 rounded-md px-2 text-xs",
                  n === shown ? "bg-brand-soft font-medium text-brand-strong" : "text-soft hover:bg-hover",
                )}
              >
                Try {n}
              </button>
            ))}
        </div>
        {live && <span className="pulse text-xs text-run">following</span>}
        <SearchInput
          className="ml-auto w-full sm:w-56"
          placeholder="Filter lines"
          value={filter}
          onChange={setFilter}
        />
        <CopyButton text={asText(log.data)} label="Copy the log" />
      </header>
      {instance.try_number === 0 && instance.state === null ? (
        <p className="px-4 py-10 text-center text-soft">This task has not started, so there is no log yet.</p>
      ) : (
        <Loaded query={log}>{(data) => <Lines log={data} filter={filter} live={live} />}</Loaded>
      )}
    </section>
  );
}

/** Structured lines, or the plain text of older schedulers cut into lines. */
export function linesOf(log: TaskLog | undefined): LogLine[] {
  if (!log) return [];
  if (Array.isArray(log.content))
    return log.content.map((line) => (typeof line === "string" ? { event: line } : line));
  return log.content.split("\n").map((event) => ({ event }));
}

function asText(log: TaskLog | undefined): string {
  return linesOf(log)
    .map((l) => [l.timestamp, l.level, l.event].filter(Boolean).join(" "))
    .join("\n");
}

const KNOWN = new Set([
  "timestamp",
  "level",
  "event",
  "logger",
  "ti_id",
  "dag_id",
  "task_id",
  "run_id",
  "try_number",
  "map_index",
  "filename",
  "lineno",
  "error_detail",
]);

/** What a line says besides its message: `status=503 ms=4`. */
export function fieldsOf(line: LogLine): string {
  return Object.entries(line)
    .filter(
      ([key, value]) => !KNOWN.has(key) && value !== null && !(Array.isArray(value) && value.length === 0),
    )
    .map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(" ");
}

const TONE: Record<string, string> = {
  error: "text-bad",
  critical: "text-bad",
  warning: "text-warn",
  warn: "text-warn",
  debug: "text-faint",
};

function Lines({ log, filter, live }: { log: TaskLog; filter: string; live: boolean }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(true);
  const lines = useMemo(() => {
    const all = linesOf(log).filter((l) => l.event !== "::endgroup::");
    const wanted = filter.toLowerCase();
    return wanted ? all.filter((l) => `${l.event} ${fieldsOf(l)}`.toLowerCase().includes(wanted)) : all;
  }, [log, filter]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 18,
    overscan: 30,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scroller moves when lines come.
  useEffect(() => {
    if (follow && live && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [lines.length, follow, live]);
  const onScroll = () => {
    const s = scroller.current;
    if (s) setFollow(s.scrollHeight - s.scrollTop - s.clientHeight < 40);
  };
  if (lines.length === 0)
    return (
      <p className="px-4 py-10 text-center text-soft">
        {filter ? `No line has “${filter}” in it.` : "No lines yet."}
      </p>
    );
  return (
    <div className="relative flex min-h-0 grow flex-col">
      <div
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard.
        tabIndex={0}
        onScroll={onScroll}
        role="log"
        aria-live="off"
        className="min-h-[300px] grow overflow-auto bg-panel py-2 font-mono text-xs leading-[18px] outline-offset-[-2px] lg:min-h-0"
      >
        <div className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className="absolute inset-x-0 px-4"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Line line={lines[item.index]!} />
            </div>
          ))}
        </div>
      </div>
      {live && !follow && (
        <Button size="sm" className="absolute right-4 bottom-3" onClick={() => setFollow(true)}>
          <ArrowDownToLine className="size-3.5" /> Follow
        </Button>
      )}
      <span className="sr-only" role="status">
        {count(lines.length)} lines
      </span>
    </div>
  );
}

function Line({ line }: { line: LogLine }) {
  const level = (line.level ?? "").toLowerCase();
  const at = line.timestamp ? Date.parse(line.timestamp) : Number.NaN;
  const group = line.event.startsWith("::group::");
  return (
    <div className={cx("grid gap-x-3 hover:bg-hover sm:grid-cols-[88px_56px_1fr]", TONE[level])}>
      <span className="hidden text-faint sm:inline">{Number.isNaN(at) ? "" : clock(at)}</span>
      <span className={cx("hidden sm:inline", !TONE[level] && "text-faint")}>{level}</span>
      <span className={cx("break-words whitespace-pre-wrap", group && "text-faint")}>
        {group ? line.event.slice(9) : line.event}
        {fieldsOf(line) && <span className="text-faint"> {fieldsOf(line)}</span>}
        <Trace line={line} />
      </span>
    </div>
  );
}

/** Airflow puts a Python exception into `error_detail`. */
function Trace({ line }: { line: LogLine }) {
  const detail = line.error_detail;
  if (!Array.isArray(detail) || detail.length === 0) return null;
  const text = (
    detail as {
      exc_type?: string;
      exc_value?: string;
      frames?: { filename: string; lineno: number; name: string }[];
    }[]
  )
    .map((e) =>
      [
        ...(e.frames ?? []).map((f) => `  ${f.filename}:${f.lineno} in ${f.name}`),
        `${e.exc_type}: ${e.exc_value}`,
      ].join("\n"),
    )
    .join("\n");
  return <span className="block text-bad">{text}</span>;
}
