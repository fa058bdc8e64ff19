import dagre from "@dagrejs/dagre";
import type { FlowEdge, FlowNode } from "@/api/types";

/** Where the boxes of the map stand. Pure: the same nodes and edges give the same picture. */

export const NODE_WIDTH = 204;
const NODE_HEIGHT = 86;
/** A reason takes three more lines. */
const REASON_HEIGHT = 59;

export interface Placed {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function needsReason(node: FlowNode): boolean {
  return node.reason !== null && (node.state === "bad" || node.state === "warn");
}

export function place(nodes: FlowNode[], edges: FlowEdge[]): Map<string, Placed> {
  const main = leadsToTable(nodes, edges);
  // The order of edges is the order of targets: the line to a table first, so that it runs straight.
  const weight = (e: FlowEdge) => (e.kind !== "flow" ? 2 : main.has(e.to) ? 0 : 1);
  const known = new Set(nodes.map((n) => n.id));
  const inOrder = edges
    .filter((e) => known.has(e.from) && known.has(e.to))
    .sort((a, b) => weight(a) - weight(b));
  const asGiven = arrange(nodes, inOrder, true);
  const untangled = arrange(nodes, inOrder, false);
  return crossings(untangled, inOrder) < crossings(asGiven, inOrder) ? untangled : asGiven;
}

function arrange(nodes: FlowNode[], edges: FlowEdge[], keepOrder: boolean): Map<string, Placed> {
  const graph = new dagre.graphlib.Graph();
  // Upper left: the first of a node's targets stands level with it, the others hang below.
  graph.setGraph({ rankdir: "LR", align: "UL", ranksep: 68, nodesep: 22, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) {
    graph.setNode(node.id, {
      width: NODE_WIDTH,
      height: NODE_HEIGHT + (needsReason(node) ? REASON_HEIGHT : 0),
    });
  }
  for (const edge of edges) graph.setEdge(edge.from, edge.to);
  dagre.layout(graph, { disableOptimalOrderHeuristic: keepOrder });
  return new Map(
    nodes.map((node) => {
      const at = graph.node(node.id);
      return [
        node.id,
        { x: at.x - at.width / 2, y: at.y - at.height / 2, width: at.width, height: at.height },
      ];
    }),
  );
}

/** Pairs of edges that cross between the same columns. */
function crossings(placed: Map<string, Placed>, edges: FlowEdge[]): number {
  const lines = edges.map((e) => [placed.get(e.from)!, placed.get(e.to)!] as const);
  let found = 0;
  for (const [i, [from, to]] of lines.entries()) {
    for (const [otherFrom, otherTo] of lines.slice(i + 1)) {
      const sameColumns = Math.abs(from.x - otherFrom.x) < 1 && Math.abs(to.x - otherTo.x) < 1;
      if (sameColumns && (from.y - otherFrom.y) * (to.y - otherTo.y) < 0) found += 1;
    }
  }
  return found;
}

/** Height that shows the map without making it small, in pixels. */
export function heightOf(placed: Map<string, Placed>, low: boolean): number {
  const boxes = [...placed.values()];
  const height = Math.max(0, ...boxes.map((b) => b.y + b.height)) - Math.min(0, ...boxes.map((b) => b.y));
  return Math.min(620, Math.max(low ? 180 : 340, height + 84));
}

/** Nodes from which a table is reached, dead letters aside. */
function leadsToTable(nodes: FlowNode[], edges: FlowEdge[]): Set<string> {
  const reached = new Set(nodes.filter((n) => n.kind === "table").map((n) => n.id));
  for (let grown = true; grown; ) {
    const before = reached.size;
    for (const edge of edges) if (edge.kind === "flow" && reached.has(edge.to)) reached.add(edge.from);
    grown = reached.size > before;
  }
  return reached;
}

export interface Step {
  node: FlowNode;
  /** The edge it is reached by; none at the beginning of a line. */
  edge: FlowEdge | null;
  /** Whether the card above is where this one comes from. */
  follows: boolean;
}

/** The map as one column, for a narrow screen: each line from its beginning, branches after it. */
export function asList(nodes: FlowNode[], edges: FlowEdge[]): Step[] {
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const main = leadsToTable(nodes, edges);
  const steps: Step[] = [];
  const seen = new Set<string>();
  const weight = (e: FlowEdge) => (e.kind === "flow" ? (main.has(e.to) ? 0 : 1) : 2);
  const visit = (id: string, edge: FlowEdge | null) => {
    const node = byId.get(id);
    if (!node || seen.has(id)) return;
    seen.add(id);
    steps.push({ node, edge, follows: edge !== null && steps.at(-1)?.node.id === edge.from });
    const out = edges.filter((e) => e.from === id).sort((a, b) => weight(a) - weight(b));
    for (const next of out) visit(next.to, next);
  };
  const targets = new Set(edges.map((e) => e.to));
  for (const node of nodes) if (!targets.has(node.id)) visit(node.id, null);
  // What is left lies on a circle.
  for (const node of nodes) visit(node.id, null);
  return steps;
}

/** What the layout depends on; a new rate does not move the boxes. */
export function shapeOf(nodes: FlowNode[], edges: FlowEdge[]): string {
  return `${nodes.map((n) => `${n.id}${needsReason(n) ? "!" : ""}`).join(";")}|${edges.map((e) => `${e.from}>${e.to}`).join(";")}`;
}
