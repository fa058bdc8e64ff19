import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowRight, CircleAlert, TriangleAlert, Waypoints } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import { useLive } from "@/api/events";
import { infoQuery } from "@/api/queries";
import type { BoxHealth, HistoryPoint, Problem, Snapshot, Totals } from "@/api/types";
import { cx } from "@/lib/cx";
import { compact, count, duration, rate } from "@/lib/format";
import { Dot, State, toneOf } from "@/ui/badge";
import { Drawer } from "@/ui/overlay";
import { Facts, Panel } from "@/ui/page";
import { Sparkline } from "@/ui/sparkline";
import { EmptyState, SkeletonBlock } from "@/ui/states";
import { KINDS, pageOf, unitOf } from "./kinds";

const FlowMap = lazy(() => import("./map").then((m) => ({ default: m.FlowMap })));
const Charts = lazy(() => import("./charts").then((m) => ({ default: m.Charts })));

const route = getRouteApi("/");

export function FlowPage() {
  const snapshot = useLive((live) => live.snapshot);
  const points = useLive((live) => live.points);
  const { node: selected } = route.useSearch();
  const navigate = route.useNavigate();
  const select = (node: string | undefined) => navigate({ search: node ? { node } : {}, replace: true });
  const chosen = snapshot?.nodes.find((n) => n.id === selected);
  return (
    <div className="flex min-h-0 grow flex-col overflow-y-auto">
      <h1 className="sr-only">Flow</h1>
      <TotalsStrip totals={snapshot?.totals ?? null} points={points} />
      <Problems problems={snapshot?.problems ?? []} onSelect={select} />
      <div className="relative flex min-h-[340px] shrink-0 grow flex-col border-b bg-canvas bg-[radial-gradient(var(--line)_1px,transparent_1px)] [background-size:20px_20px] sm:min-h-[400px]">
        {!snapshot && <SkeletonBlock className="absolute inset-8 opacity-40" />}
        {snapshot && snapshot.nodes.length === 0 && <NothingFlows snapshot={snapshot} />}
        {snapshot && snapshot.nodes.length > 0 && (
          <div className="grow">
            <Suspense fallback={null}>
              <FlowMap nodes={snapshot.nodes} edges={snapshot.edges} selected={selected} onSelect={select} />
            </Suspense>
          </div>
        )}
      </div>
      <div className="grid shrink-0 grid-cols-[minmax(0,1fr)] gap-4 p-4 lg:grid-cols-[1fr_1fr_minmax(300px,0.8fr)]">
        <Suspense fallback={<SkeletonBlock className="h-52 lg:col-span-2" />}>
          <Charts points={points} />
        </Suspense>
        <Boxes boxes={snapshot?.boxes ?? null} />
      </div>
      <Drawer
        open={chosen !== undefined}
        onClose={() => select(undefined)}
        title={<span className="font-mono text-sm">{chosen?.name}</span>}
        subtitle={chosen && KINDS[chosen.kind].label}
      >
        {chosen && snapshot && <NodeFacts snapshot={snapshot} id={chosen.id} />}
      </Drawer>
    </div>
  );
}

function TotalsStrip({ totals, points }: { totals: Totals | null; points: HistoryPoint[] }) {
  const last = points.slice(-60);
  const column = (i: number) => last.map((p) => (p[i] as number | null) ?? 0);
  return (
    <div className="grid shrink-0 grid-cols-2 border-b bg-panel sm:grid-cols-3 lg:grid-cols-[1fr_1fr_1fr_1fr_1.35fr]">
      <Total
        name="Records in"
        value={totals && compact(totals.records_in)}
        note={totals && `${rate(totals.rate_in)}/s`}
        spark={column(1)}
      />
      <Total
        name="Rows out"
        value={totals && compact(totals.rows_out)}
        note={totals && `${rate(totals.rate_out)}/s`}
        spark={column(2)}
        colour="var(--ok-mark)"
      />
      <Total
        name="Rejected"
        value={totals && compact(totals.rejected)}
        note={
          totals &&
          (totals.rejected === 0
            ? "none"
            : totals.rate_rejected > 0
              ? `${rate(totals.rate_rejected)}/s`
              : "kept as dead letters")
        }
        spark={column(3)}
        colour="var(--warn-mark)"
        tone={totals && totals.rate_rejected > 0 ? "text-warn" : undefined}
      />
      <Total
        name="Lag"
        value={totals && compact(totals.lag)}
        note="records waiting"
        spark={column(4)}
        colour="var(--series-2)"
      />
      <Total
        name="Latency p50 / p99"
        value={
          totals &&
          (totals.latency_ms
            ? `${duration(totals.latency_ms.p50)} / ${duration(totals.latency_ms.p99)}`
            : "–")
        }
        note="from produced to readable"
        spark={column(6)}
        colour="var(--series-3)"
        wide
      />
    </div>
  );
}

function Total({
  name,
  value,
  note,
  spark,
  colour,
  tone,
  wide,
}: {
  name: string;
  value: string | null;
  note: ReactNode;
  spark: number[];
  colour?: string;
  tone?: string | undefined;
  wide?: boolean;
}) {
  return (
    <div
      className={cx(
        "flex items-end gap-3 border-line px-4 py-3 not-last:border-r max-sm:border-b",
        wide && "max-sm:col-span-2",
      )}
    >
      <div className="min-w-0">
        <div className="text-xs text-faint">{name}</div>
        {value === null ? (
          <div className="skeleton after-150 my-1.5 h-5 w-16" />
        ) : (
          <div className={cx("text-xl leading-8 font-semibold tracking-[-0.02em] whitespace-nowrap", tone)}>
            {value}
          </div>
        )}
        <div className="truncate text-xs text-soft">{note}</div>
      </div>
      <div className="mb-1 ml-auto hidden xl:block">
        <Sparkline values={spark} width={84} height={30} {...(colour ? { colour } : {})} />
      </div>
    </div>
  );
}

/** Boxes that are down are told in one line: they are one problem, or follow from one. */
function gathered(problems: Problem[]): Problem[] {
  const down = problems.filter((p) => p.subject.startsWith("box:"));
  if (down.length < 2) return problems;
  const names = down.map((p) => p.title.replace(/ is down$/, ""));
  const title = `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are down`;
  const rest = problems.filter((p) => !p.subject.startsWith("box:"));
  return [{ severity: "bad", subject: "box:several", title, reason: down[0]!.reason }, ...rest];
}

/** What stopped and why, one line each. */
function Problems({ problems, onSelect }: { problems: Problem[]; onSelect: (node: string) => void }) {
  if (problems.length === 0) return null;
  const shown = gathered(problems);
  return (
    <ul aria-label="Problems" className="shrink-0 divide-y border-b">
      {shown.slice(0, 3).map((problem) => (
        <ProblemLine key={`${problem.subject} ${problem.title}`} problem={problem} onSelect={onSelect} />
      ))}
      {shown.length > 3 && (
        <li className="px-4 py-1.5 text-xs text-soft">and {shown.length - 3} more on the map</li>
      )}
    </ul>
  );
}

function ProblemLine({ problem, onSelect }: { problem: Problem; onSelect: (node: string) => void }) {
  const bad = problem.severity === "bad";
  const Icon = bad ? CircleAlert : TriangleAlert;
  return (
    <li className={bad ? "bg-bad-soft" : "bg-warn-soft"}>
      <button
        type="button"
        disabled={problem.subject.startsWith("box:")}
        onClick={() => onSelect(problem.subject)}
        className="flex w-full items-center gap-2.5 px-4 py-2 text-left outline-offset-[-2px] disabled:cursor-default"
      >
        <Icon className={cx("size-4 shrink-0", bad ? "text-bad" : "text-warn")} />
        <span className="min-w-0 sm:flex sm:gap-2">
          <span className={cx("block shrink-0 font-medium", bad ? "text-bad" : "text-warn")}>
            {problem.title}
          </span>
          <span className="line-clamp-2 break-words text-ink sm:line-clamp-1">{problem.reason}</span>
        </span>
      </button>
    </li>
  );
}

const BOXES: Record<BoxHealth["box"], { name: string; stands: string }> = {
  broker: { name: "Broker", stands: "Kafka" },
  registry: { name: "Registry", stands: "Schema Registry" },
  scheduler: { name: "Scheduler", stands: "Airflow" },
  engine: { name: "Engine", stands: "Flink SQL" },
  store: { name: "Store", stands: "Cassandra" },
  console: { name: "Console", stands: "this page" },
};

function Boxes({ boxes }: { boxes: BoxHealth[] | null }) {
  const { view } = route.useSearch();
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (view === "boxes") panel.current?.scrollIntoView({ block: "center", behavior: "smooth" });
  }, [view]);
  return (
    <div ref={panel} className="flex flex-col">
      <Panel title="Parts" flush className="grow">
        <ul className="pb-1.5">
          {(boxes ?? []).map((box) => (
            <li
              key={box.box}
              className="grid grid-cols-[88px_1fr_auto] items-center gap-x-3 px-4 py-1.5"
              title={box.error ?? undefined}
            >
              <span className="flex items-center gap-2 font-medium">
                <Dot tone={box.status === "checking" ? "idle" : toneOf(box.status)} />
                {BOXES[box.box].name}
              </span>
              <span className="min-w-0 truncate text-xs text-soft">
                <span className="font-mono text-[11.5px]">{box.address}</span>
              </span>
              <span className={cx("text-xs", box.status === "down" ? "text-bad" : "text-faint")}>
                {box.status === "up" ? duration(box.latency_ms) : box.status === "down" ? "down" : "…"}
              </span>
              {box.status === "down" && box.error && (
                <span className="col-span-3 line-clamp-2 pl-4 text-xs break-words text-bad">{box.error}</span>
              )}
            </li>
          ))}
          {!boxes && <SkeletonBlock className="mx-4 my-2 h-40" />}
        </ul>
      </Panel>
    </div>
  );
}

function NodeFacts({ snapshot, id }: { snapshot: Snapshot; id: string }) {
  const node = snapshot.nodes.find((n) => n.id === id)!;
  const name = (other: string) => snapshot.nodes.find((n) => n.id === other)?.name ?? other;
  const page = pageOf(node);
  const into = snapshot.edges.filter((e) => e.to === id);
  const out = snapshot.edges.filter((e) => e.from === id);
  return (
    <div className="flex flex-col gap-5 p-4">
      {node.reason && (
        <p
          className={cx(
            "rounded-md px-3 py-2",
            node.state === "bad"
              ? "bg-bad-soft text-bad"
              : node.state === "warn"
                ? "bg-warn-soft text-warn"
                : "bg-sunken text-soft",
          )}
        >
          {node.reason}
        </p>
      )}
      <Facts
        rows={[
          ["State", <State key="s" state={node.state} />],
          ...(node.detail ? ([["About", node.detail]] as [string, ReactNode][]) : []),
          ["Passed", `${count(node.total)} ${unitOf(node)}`],
          ["Rate", `${rate(node.rate)} /s`],
          ...(node.lag !== null ? ([["Lag", `${count(node.lag)} records`]] as [string, ReactNode][]) : []),
        ]}
      />
      {(
        [
          ["Comes from", into, "from"],
          ["Goes to", out, "to"],
        ] as const
      ).map(([title, edges, end]) =>
        edges.length === 0 ? null : (
          <div key={title}>
            <h3 className="mb-1.5 text-xs font-medium text-faint">{title}</h3>
            <ul className="divide-y rounded-md border">
              {edges.map((edge) => (
                <li key={edge[end]} className="flex items-center gap-2 px-3 py-2">
                  <Link
                    to="/"
                    search={{ node: edge[end] }}
                    className="min-w-0 truncate font-mono text-xs hover:text-brand"
                  >
                    {name(edge[end])}
                  </Link>
                  <span className="ml-auto text-xs text-soft">
                    {edge.kind === "trigger" ? "runs" : edge.rate === null ? "" : `${rate(edge.rate)}/s`}
                  </span>
                </li>
              ))}
            </ul>
          </div>
        ),
      )}
      {page && (
        <Link
          {...page}
          className="inline-flex h-9 items-center justify-center gap-1.5 rounded-md bg-brand font-medium text-on-brand hover:bg-brand-strong"
        >
          Open {KINDS[node.kind].label.toLowerCase()} <ArrowRight className="size-4" />
        </Link>
      )}
    </div>
  );
}

function NothingFlows({ snapshot }: { snapshot: Snapshot }) {
  const kafka = useQuery(infoQuery).data?.endpoints.kafka ?? "127.0.0.1:9092";
  const up = snapshot.boxes.find((b) => b.box === "broker")?.status === "up";
  return (
    <EmptyState
      icon={<Waypoints />}
      title={up ? "Nothing flows yet" : "Waiting for the parts to answer"}
      command={
        up
          ? [`echo '{"id":1,"name":"Ada"}' | kcat -b ${kafka} -t people -P`, "tidemill demo"]
          : "tidemill status"
      }
    >
      {up
        ? "Send one record with any Kafka client, or start a project: its topics, pipelines and tables appear here as they come to life."
        : "The map is drawn from what the broker, the engine and the scheduler say. It fills in as soon as one of them answers."}
    </EmptyState>
  );
}
