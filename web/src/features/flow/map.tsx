import {
  BaseEdge,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getBezierPath,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { Maximize, Minus, Plus } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLive } from "@/api/events";
import type { FlowEdge, FlowNode } from "@/api/types";
import { scheduleText } from "@/lib/cron";
import { cx } from "@/lib/cx";
import { compact, rate } from "@/lib/format";
import { Dot, type Tone } from "@/ui/badge";
import { Sparkline } from "@/ui/sparkline";
import { KINDS, unitOf } from "./kinds";
import { asList, heightOf, needsReason, place, shapeOf } from "./layout";

type MapNode = Node<{ node: FlowNode; selected: boolean }, "box">;
type MapEdge = Edge<{ edge: FlowEdge }, "flow">;

const NODE_TYPES = { box: BoxNode };
const EDGE_TYPES = { flow: MovingEdge };

/** The whole line: what moves, how fast, and where it stops. */
export function FlowMap(props: MapProps) {
  const narrow = useNarrow();
  return narrow ? (
    <FlowList {...props} />
  ) : (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

interface MapProps {
  /** As low as its boxes allow: part of a page, not the page. */
  low?: boolean;
  nodes: FlowNode[];
  edges: FlowEdge[];
  selected: string | undefined;
  onSelect: (id: string | undefined) => void;
}

function Canvas({ nodes, edges, selected, onSelect, low = false }: MapProps) {
  const { fitView, zoomIn, zoomOut } = useReactFlow();
  const shape = shapeOf(nodes, edges);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for nodes and edges.
  const placed = useMemo(() => place(nodes, edges), [shape]);
  const frame = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new shape is fitted anew.
  useEffect(() => {
    const fit = () => void fitView({ ...FIT, duration: 120 });
    const watch = new ResizeObserver(fit);
    if (frame.current) watch.observe(frame.current);
    return () => watch.disconnect();
  }, [shape]);
  const flowNodes: MapNode[] = nodes.flatMap((node) => {
    const at = placed.get(node.id);
    if (!at) return [];
    return [
      {
        id: node.id,
        type: "box",
        position: { x: at.x, y: at.y },
        data: { node, selected: node.id === selected },
        width: at.width,
        height: at.height,
        // Told, although it is measured too: nodes are made anew each second, and what was measured
        // of the old ones may come too late for the new, which then would have no arrows.
        measured: { width: at.width, height: at.height },
        handles: [
          { type: "target", position: Position.Left, x: 0, y: at.height / 2, width: 0, height: 0 },
          { type: "source", position: Position.Right, x: at.width, y: at.height / 2, width: 0, height: 0 },
        ],
        ariaLabel: `${KINDS[node.kind].label} ${node.name}`,
      },
    ];
  });
  const flowEdges: MapEdge[] = edges.map((edge) => ({
    id: `${edge.from}>${edge.to}`,
    source: edge.from,
    target: edge.to,
    type: "flow",
    data: { edge },
    focusable: false,
  }));
  return (
    <div ref={frame} className="relative h-full" style={{ minHeight: heightOf(placed, low) }}>
      <ReactFlow
        nodes={flowNodes}
        edges={flowEdges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        panOnScroll={false}
        preventScrolling={false}
        minZoom={0.25}
        maxZoom={1.5}
        fitView
        fitViewOptions={FIT}
        attributionPosition="bottom-left"
        onNodeClick={(_, node) => onSelect(node.id)}
        onPaneClick={() => onSelect(undefined)}
      />
      <div className="absolute right-3 bottom-3 flex overflow-hidden rounded-md border bg-panel">
        {(
          [
            ["Zoom out", Minus, () => zoomOut({ duration: 100 })],
            ["Zoom in", Plus, () => zoomIn({ duration: 100 })],
            ["Show all", Maximize, () => fitView({ ...FIT, duration: 120 })],
          ] as const
        ).map(([label, Icon, act]) => (
          <button
            key={label}
            type="button"
            aria-label={label}
            title={label}
            onClick={act}
            className="inline-flex size-7 items-center justify-center text-faint hover:bg-hover hover:text-ink"
          >
            <Icon className="size-3.5" />
          </button>
        ))}
      </div>
    </div>
  );
}

const FIT = { padding: { top: "28px", bottom: "48px", x: "28px" }, maxZoom: 1 } as const;

/** The map for a narrow screen: one column, read from top to bottom. */
function FlowList({ nodes, edges, onSelect }: MapProps) {
  const shape = shapeOf(nodes, edges);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for nodes and edges.
  const order = useMemo(() => asList(nodes, edges), [shape]);
  const byId = new Map(nodes.map((n) => [n.id, n]));
  return (
    <ol className="flex flex-col px-4 py-5">
      {order.map((step) => {
        const node = byId.get(step.node.id) ?? step.node;
        const edge = edges.find((e) => e.from === step.edge?.from && e.to === node.id);
        const moving = edge?.rate != null && edge.rate > 0;
        return (
          <li key={node.id}>
            {edge && (
              <div
                className={cx(
                  "flex items-center gap-2 pl-7 text-xs text-soft",
                  step.follows ? "h-8" : "mt-3 h-8",
                )}
              >
                <span
                  className={cx(
                    "h-full border-l-2",
                    moving ? "border-brand" : "border-line-strong",
                    edge.kind !== "flow" && "border-dashed border-warn-mark",
                  )}
                />
                {edge.state === "bad" ? (
                  <span className="font-medium text-bad">stopped</span>
                ) : (
                  moving && <span>{rate(edge.rate)}/s</span>
                )}
                {!step.follows && <span className="text-faint">from {byId.get(edge.from)?.name}</span>}
              </div>
            )}
            <button
              type="button"
              onClick={() => onSelect(node.id)}
              className={cx("w-full", !edge && "not-first:mt-6")}
            >
              <Card node={node} selected={false} />
            </button>
          </li>
        );
      })}
    </ol>
  );
}

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => window.innerWidth < 640);
  useEffect(() => {
    const media = matchMedia("(max-width: 639px)");
    const onChange = () => setNarrow(media.matches);
    media.addEventListener("change", onChange);
    return () => media.removeEventListener("change", onChange);
  }, []);
  return narrow;
}

const NO_RATES: number[] = [];

const STATE: Record<FlowNode["state"], { tone: Tone; text: string }> = {
  ok: { tone: "ok", text: "moving" },
  idle: { tone: "idle", text: "idle" },
  warn: { tone: "warn", text: "behind" },
  bad: { tone: "bad", text: "stopped" },
  unknown: { tone: "idle", text: "not known" },
};

/** Where arrows end: a point on the card's edge that nobody sees or drags. */
const ANCHOR = "!pointer-events-none !size-0 !min-h-0 !min-w-0 opacity-0";

function BoxNode({ data }: NodeProps<MapNode>) {
  return (
    <>
      <Handle type="target" position={Position.Left} className={ANCHOR} />
      <Card {...data} />
      <Handle type="source" position={Position.Right} className={ANCHOR} />
    </>
  );
}

function Card({ node, selected }: { node: FlowNode; selected: boolean }) {
  const kind = KINDS[node.kind];
  const rates = useLive((live) => live.rates[node.id] ?? NO_RATES);
  const reason = needsReason(node);
  const { tone, text } = STATE[node.state];
  return (
    <div
      className={cx(
        "flex size-full flex-col rounded-lg border bg-panel text-left transition-colors duration-150",
        node.state === "bad" && "border-bad-mark",
        node.state === "warn" && "border-warn-mark",
        selected ? "outline-2 outline-offset-1 outline-focus" : "hover:border-line-strong",
      )}
    >
      <div className="flex min-h-0 grow items-center gap-2.5 px-3 pt-2.5">
        <span className={cx("flex size-8 shrink-0 items-center justify-center rounded-md", kind.tile)}>
          <kind.icon className="size-4" />
        </span>
        <div className="min-w-0 grow">
          <div className="flex items-center gap-1.5 text-2xs text-faint">
            <span className="min-w-0 grow truncate">
              {kind.label}
              {node.detail && ` · ${node.kind === "dag" ? scheduleText(node.detail) : node.detail}`}
            </span>
            <Dot tone={tone} pulse={node.state === "ok" && (node.rate ?? 0) > 0} />
            <span className="sr-only">{text}</span>
          </div>
          <div className="truncate font-mono text-[12.5px] leading-5 font-medium" title={node.name}>
            {node.name}
          </div>
        </div>
      </div>
      <div className="flex h-8 items-center gap-2 px-3 pb-1.5 text-xs text-soft">
        <span className="min-w-0 truncate">
          {node.total !== null ? (
            <>
              <span className="font-medium text-ink">{compact(node.total)}</span> {unitOf(node)}
            </>
          ) : (
            text
          )}
        </span>
        {node.lag !== null && node.lag > 0 && (
          <span className={cx("whitespace-nowrap", node.state !== "ok" && "ml-auto font-medium text-warn")}>
            lag {compact(node.lag)}
          </span>
        )}
        {rates.length > 1 && (node.state === "ok" || !node.lag) && (
          <span className="ml-auto">
            <Sparkline values={rates} width={52} height={16} colour={kind.spark} />
          </span>
        )}
      </div>
      {reason && (
        <p
          className={cx(
            "mx-1.5 mb-1.5 rounded-[5px] px-2 py-1 text-2xs leading-[15px]",
            node.state === "bad" ? "bg-bad-soft text-bad" : "bg-warn-soft text-warn",
          )}
          title={node.reason ?? undefined}
        >
          <span className="line-clamp-3 break-words">{node.reason}</span>
        </p>
      )}
    </div>
  );
}

const REDUCED =
  typeof matchMedia === "undefined" ? false : matchMedia("(prefers-reduced-motion: reduce)").matches;

/** How many marks travel and how long each takes: few steps, so that a rate that wavers restarts nothing. */
export function motion(perSecond: number): { marks: number; seconds: number } {
  if (perSecond <= 0) return { marks: 0, seconds: 0 };
  const step = Math.min(5, Math.max(0, Math.floor(Math.log10(perSecond) + 1)));
  return { marks: [1, 2, 3, 4, 5, 6][step]!, seconds: [4.2, 3.4, 2.8, 2.2, 1.8, 1.5][step]! };
}

function MovingEdge({
  sourceX,
  sourceY,
  targetX,
  targetY,
  sourcePosition,
  targetPosition,
  data,
}: EdgeProps<MapEdge>) {
  const [path, labelX, labelY] = getBezierPath({
    sourceX,
    sourceY,
    targetX,
    targetY,
    sourcePosition,
    targetPosition,
    curvature: 0.35,
  });
  if (!data) return null;
  const { edge } = data;
  const moving = edge.rate !== null && edge.rate > 0;
  const tone =
    edge.state === "bad"
      ? "var(--bad-mark)"
      : edge.state === "warn" || edge.kind === "dead_letters"
        ? "var(--warn-mark)"
        : moving
          ? "var(--brand)"
          : "var(--line-strong)";
  const { marks, seconds } = motion(edge.rate ?? 0);
  return (
    <>
      <BaseEdge
        path={path}
        style={{
          stroke: tone,
          strokeWidth: moving || edge.state === "bad" ? 1.75 : 1.25,
          opacity: moving ? 0.55 : edge.state === "bad" ? 0.9 : 0.8,
          ...(edge.kind !== "flow" || edge.state === "bad" ? { strokeDasharray: "5 5" } : {}),
        }}
      />
      {!REDUCED &&
        Array.from({ length: marks }, (_, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the marks of one edge differ only by their place.
          <circle key={`${i}/${marks}`} r={2.6} fill={tone}>
            <animateMotion
              dur={`${seconds}s`}
              begin={`${(-seconds * i) / marks}s`}
              repeatCount="indefinite"
              path={path}
            />
          </circle>
        ))}
      {edge.rate !== null && (moving || edge.state === "bad") && (
        <EdgeLabelRenderer>
          <div
            className={cx(
              "pointer-events-none absolute rounded-full border bg-panel px-1.5 text-2xs leading-[18px] font-medium",
              edge.state === "bad" ? "border-bad-mark text-bad" : "text-soft",
            )}
            style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
          >
            {moving ? `${rate(edge.rate)}/s` : "stopped"}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}
