import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ArrowRight, Waves } from "lucide-react";
import { useLive } from "@/api/events";
import { pipelinesQuery } from "@/api/queries";
import type { Pipeline } from "@/api/types";
import { compact, duration } from "@/lib/format";
import { pipelineName } from "@/lib/names";
import { State } from "@/ui/badge";
import { Fact, PageHead } from "@/ui/page";
import { Sparkline } from "@/ui/sparkline";
import { EmptyState, Loaded } from "@/ui/states";
import { type Column, DataTable } from "@/ui/table";

const COLUMNS: Column<Pipeline>[] = [
  {
    id: "name",
    header: "Pipeline",
    track: "minmax(150px,2fr)",
    cell: (p) => (
      <div className="leading-4">
        <div className="truncate font-mono text-xs font-medium">{pipelineName(p.name)}</div>
        <div className="flex items-center gap-1 truncate text-2xs text-faint">
          {sourceName(p)} <ArrowRight className="size-3 shrink-0" /> {sinkName(p)}
        </div>
      </div>
    ),
  },
  { id: "state", header: "State", track: "104px", cell: (p) => <State state={p.state} /> },
  {
    id: "spark",
    header: <span className="sr-only">Recent rate</span>,
    track: "84px",
    from: "md",
    cell: (p) => <Spark id={p.id} />,
  },
  { id: "in", header: "In", track: "80px", align: "right", from: "sm", cell: (p) => compact(p.records_in) },
  { id: "out", header: "Out", track: "80px", align: "right", cell: (p) => compact(p.records_out) },
  {
    id: "rejected",
    header: "Rejected",
    track: "76px",
    align: "right",
    from: "sm",
    cell: (p) => (
      <span className={p.dead_letters > 0 ? "text-warn" : "text-faint"}>{compact(p.dead_letters)}</span>
    ),
  },
  {
    id: "lag",
    header: "Lag",
    track: "70px",
    align: "right",
    from: "sm",
    cell: (p) => <span className={p.lag > 1000 ? "text-warn" : ""}>{compact(p.lag)}</span>,
  },
  {
    id: "p99",
    header: "p99",
    track: "76px",
    align: "right",
    from: "md",
    cell: (p) => duration(p.latency_ms?.p99),
  },
];

export function PipelinesPage() {
  const pipelines = useQuery(pipelinesQuery);
  const navigate = useNavigate();
  const list = pipelines.data?.pipelines ?? [];
  return (
    <>
      <PageHead
        title="Pipelines"
        meta={
          pipelines.data && (
            <>
              <Fact name="running">{list.filter((p) => p.state === "RUNNING").length}</Fact>
              {list.some((p) => p.state === "FAILED") && (
                <span className="text-bad">
                  <b className="font-medium">{list.filter((p) => p.state === "FAILED").length}</b> failed
                </span>
              )}
            </>
          )
        }
      />
      <Loaded query={pipelines}>
        {(data) =>
          data.pipelines.length === 0 ? (
            <NoPipelines />
          ) : (
            <DataTable
              label="Pipelines"
              columns={COLUMNS}
              rows={data.pipelines}
              rowKey={(p) => p.id}
              rowHeight={52}
              onOpen={(p) => navigate({ to: "/pipelines/$pipeline", params: { pipeline: p.id } })}
            />
          )
        }
      </Loaded>
    </>
  );
}

const NO_RATES: number[] = [];

function Spark({ id }: { id: string }) {
  const rates = useLive((live) => live.rates[`pipeline:${id}`] ?? NO_RATES);
  return <Sparkline values={rates} colour="var(--run-mark)" />;
}

export function sourceName({ source }: Pipeline): string {
  return source.topic ?? source.url ?? source.connector;
}

export function sinkName({ sink }: Pipeline): string {
  return sink.table ? `${sink.keyspace}.${sink.table}` : (sink.topic ?? sink.connector);
}

const EXAMPLE = `cat > pipelines/people.sql <<'END'
CREATE TABLE people (id BIGINT, name STRING)
  WITH ('connector'='kafka', 'topic'='people', 'format'='json');
CREATE TABLE people_by_id (id BIGINT PRIMARY KEY NOT ENFORCED, name STRING)
  WITH ('connector'='cassandra', 'keyspace'='shop', 'table'='people');
INSERT INTO people_by_id SELECT id, name FROM people;
END`;

function NoPipelines() {
  return (
    <EmptyState icon={<Waves />} title="No pipelines yet" command={EXAMPLE}>
      A pipeline is an <span className="font-mono text-xs">INSERT INTO … SELECT</span> that never ends. Put
      one into the project's folder <span className="font-mono text-xs">pipelines/</span>:
    </EmptyState>
  );
}
