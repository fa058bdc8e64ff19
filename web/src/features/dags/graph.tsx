import dagre from "@dagrejs/dagre";
import { useMemo } from "react";
import type { DagTask, TaskInstance } from "@/api/types";
import { State } from "@/ui/badge";

const WIDTH = 200;
const HEIGHT = 56;

/** Which task waits for which, with the states of the newest run. */
export function TaskGraph({ tasks, states }: { tasks: DagTask[]; states: Record<string, TaskInstance> }) {
  const { placed, edges, width, height } = useMemo(() => arrange(tasks), [tasks]);
  return (
    <div className="min-h-0 grow overflow-auto bg-canvas bg-[radial-gradient(var(--line)_1px,transparent_1px)] [background-size:20px_20px] p-6">
      <div className="relative mx-auto" style={{ width, height }}>
        <svg aria-hidden="true" className="absolute inset-0 overflow-visible" width={width} height={height}>
          {edges.map((points) => (
            <path key={points} d={points} fill="none" stroke="var(--line-strong)" strokeWidth={1.5} />
          ))}
        </svg>
        {tasks.map((task) => {
          const at = placed.get(task.task_id)!;
          return (
            <div
              key={task.task_id}
              className="absolute flex flex-col justify-center rounded-lg border bg-panel px-3"
              style={{ left: at.x - WIDTH / 2, top: at.y - HEIGHT / 2, width: WIDTH, height: HEIGHT }}
            >
              <span className="truncate font-mono text-xs font-medium" title={task.task_id}>
                {task.task_id}
              </span>
              <span className="flex items-center gap-2 text-2xs text-faint">
                <State state={states[task.task_id]?.state ?? "not started"} />
                <span className="ml-auto truncate">{task.operator_name}</span>
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function arrange(tasks: DagTask[]) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", ranksep: 56, nodesep: 20 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(tasks.map((t) => t.task_id));
  for (const task of tasks) graph.setNode(task.task_id, { width: WIDTH, height: HEIGHT });
  for (const task of tasks)
    for (const next of task.downstream_task_ids) if (known.has(next)) graph.setEdge(task.task_id, next);
  dagre.layout(graph);
  const placed = new Map(tasks.map((t) => [t.task_id, graph.node(t.task_id)]));
  const edges = graph.edges().map(({ v, w }) => {
    const [from, to] = [placed.get(v)!, placed.get(w)!];
    const [x1, x2] = [from.x + WIDTH / 2, to.x - WIDTH / 2];
    const bend = Math.max(24, (x2 - x1) / 2);
    return `M${x1},${from.y}C${x1 + bend},${from.y} ${x2 - bend},${to.y} ${x2},${to.y}`;
  });
  const { width = 0, height = 0 } = graph.graph();
  return { placed, edges, width, height };
}
