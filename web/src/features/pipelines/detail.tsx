import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { CircleAlert, TriangleAlert } from "lucide-react";
import { lazy, type ReactNode, Suspense } from "react";
import { ApiError } from "@/api/client";
import { useLive } from "@/api/events";
import { pipelinesQuery } from "@/api/queries";
import type { Pipeline, Snapshot } from "@/api/types";
import { ago, bytes, compact, count, dateTime, duration, rate } from "@/lib/format";
import { pipelineName } from "@/lib/names";
import { useNow } from "@/lib/now";
import { State } from "@/ui/badge";
import { CodeBlock } from "@/ui/code";
import { Facts, PageHead, Panel } from "@/ui/page";
import { ErrorState, Loaded } from "@/ui/states";
import { sinkName, sourceName } from "./list";

const FlowMap = lazy(() => import("../flow/map").then((m) => ({ default: m.FlowMap })));

const route = getRouteApi("/pipelines/$pipeline");

export function PipelinePage() {
  const { pipeline } = route.useParams();
  const pipelines = useQuery(pipelinesQuery);
  return (
    <Loaded query={pipelines}>
      {(data) => {
        const found = data.pipelines.find((p) => p.id === pipeline);
        return found ? (
          <Body pipeline={found} />
        ) : (
          <ErrorState
            error={new ApiError(404, "engine", `The engine knows no pipeline ${pipeline}.`, null)}
          />
        );
      }}
    </Loaded>
  );
}

function Body({ pipeline: p }: { pipeline: Pipeline }) {
  const now = useNow();
  const node = useLive((live) => live.snapshot?.nodes.find((n) => n.id === `pipeline:${p.id}`));
  return (
    <>
      <PageHead
        title={<span title={p.name}>{pipelineName(p.name)}</span>}
        mono
        meta={
          <>
            <State state={p.state} />
            <span>
              {sourceName(p)} → {sinkName(p)}
            </span>
            <span>since {dateTime(p.started_at_ms)}</span>
          </>
        }
      />
      <div className="flex min-h-0 grow flex-col overflow-y-auto">
        {p.failure && (
          <div role="alert" className="flex items-start gap-2.5 border-b bg-bad-soft px-4 py-2.5">
            <CircleAlert className="mt-0.5 size-4 shrink-0 text-bad" />
            <div className="min-w-0">
              <p className="font-medium text-bad">Stopped</p>
              <p className="break-words">{p.failure}</p>
            </div>
          </div>
        )}
        <dl className="grid shrink-0 grid-cols-2 border-b bg-panel sm:grid-cols-3 lg:grid-cols-5">
          <Stat name="Records in" value={compact(p.records_in)} />
          <Stat
            name={p.sink.table ? "Rows out" : "Records out"}
            value={compact(p.records_out)}
            note={node ? `${rate(node.rate)}/s` : undefined}
          />
          <Stat
            name="Rejected"
            value={compact(p.dead_letters)}
            note={
              p.dead_letter_topic && p.dead_letters > 0 ? (
                <Link
                  to="/topics/$topic"
                  params={{ topic: p.dead_letter_topic }}
                  className="text-brand hover:underline"
                >
                  {p.dead_letter_topic}
                </Link>
              ) : (
                "none"
              )
            }
          />
          <Stat name="Lag" value={compact(p.lag)} note="records waiting" />
          <Stat
            name="Latency p50 / p99"
            value={p.latency_ms ? `${duration(p.latency_ms.p50)} / ${duration(p.latency_ms.p99)}` : "–"}
            note={p.latency_ms ? `max ${duration(p.latency_ms.max)}` : undefined}
          />
        </dl>
        {p.waiting && <p className="border-b bg-run-soft px-4 py-2 text-run">It waits: {p.waiting}.</p>}
        {p.notice && <p className="border-b bg-warn-soft px-4 py-2 text-warn">{p.notice}</p>}
        {p.first_error && p.dead_letters > 0 && (
          <p className="flex items-start gap-2.5 border-b bg-warn-soft px-4 py-2">
            <TriangleAlert className="mt-0.5 size-4 shrink-0 text-warn" />
            <span className="min-w-0 break-words">
              <span className="font-medium text-warn">First rejected record: </span>
              {p.first_error}
            </span>
          </p>
        )}
        <Neighbours id={`pipeline:${p.id}`} />
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4 p-4 lg:grid-cols-[3fr_2fr]">
          <Panel title="Statement" actions={p.file && <span className="font-mono">{p.file}</span>}>
            <CodeBlock code={p.statement} language="sql" tall />
          </Panel>
          <div className="flex min-w-0 flex-col gap-4">
            <Panel title="Checkpoint">
              {p.checkpoint ? (
                <Facts
                  rows={[
                    ["Newest", `${ago(p.checkpoint.at_ms, now)} (epoch ${count(p.checkpoint.epoch)})`],
                    ["Took", duration(p.checkpoint.duration_ms)],
                    ["State", bytes(p.checkpoint.bytes)],
                    ...(p.watermark_ms === null
                      ? []
                      : ([["Watermark", ago(p.watermark_ms, now)]] as [string, ReactNode][])),
                  ]}
                />
              ) : (
                <p className="text-soft">
                  None yet. After a restart the pipeline would read its source from the beginning.
                </p>
              )}
            </Panel>
            <Positions pipeline={p} />
          </div>
        </div>
      </div>
    </>
  );
}

function Stat({ name, value, note }: { name: string; value: string; note?: ReactNode }) {
  return (
    <div className="border-line px-4 py-3 not-last:border-r max-sm:border-b">
      <dt className="text-xs text-faint">{name}</dt>
      <dd className="text-xl leading-8 font-semibold tracking-[-0.02em] whitespace-nowrap">{value}</dd>
      <dd className="truncate text-xs text-soft">{note ?? "\u00a0"}</dd>
    </div>
  );
}

/** The part of the flow map that this pipeline touches. */
function Neighbours({ id }: { id: string }) {
  const snapshot = useLive((live) => live.snapshot);
  const navigate = useNavigate();
  const part = snapshot && around(snapshot, id);
  if (!part || part.nodes.length < 2) return null;
  return (
    <div className="flex shrink-0 flex-col border-b bg-canvas bg-[radial-gradient(var(--line)_1px,transparent_1px)] [background-size:20px_20px]">
      <Suspense fallback={<div className="h-[280px]" />}>
        <FlowMap
          {...part}
          selected={undefined}
          low
          onSelect={(node) => node && navigate({ to: "/", search: { node } })}
        />
      </Suspense>
    </div>
  );
}

function around(snapshot: Snapshot, id: string): Pick<Snapshot, "nodes" | "edges"> {
  const edges = snapshot.edges.filter((e) => e.from === id || e.to === id);
  const ids = new Set([id, ...edges.flatMap((e) => [e.from, e.to])]);
  return { nodes: snapshot.nodes.filter((n) => ids.has(n.id)), edges };
}

function Positions({ pipeline }: { pipeline: Pipeline }) {
  if (pipeline.partitions.length === 0) return null;
  return (
    <Panel title="Position in the source" flush>
      <ul className="max-h-72 divide-y overflow-y-auto border-t">
        {pipeline.partitions.map((at) => (
          <li key={`${at.topic}-${at.partition}`} className="px-4 py-2">
            <div className="flex justify-between gap-3 text-xs">
              <span className="truncate font-mono">
                {at.topic}-{at.partition}
              </span>
              <span className="whitespace-nowrap text-soft">
                {count(at.position)} of {count(at.end)}
              </span>
            </div>
            <div aria-hidden className="mt-1.5 h-1 overflow-hidden rounded-full bg-sunken">
              <div
                className="h-full rounded-full bg-run-mark"
                style={{ width: `${at.end > 0 ? (at.position / at.end) * 100 : 100}%` }}
              />
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
