import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Users } from "lucide-react";
import { useLive } from "@/api/events";
import { infoQuery, topicQuery } from "@/api/queries";
import type { TopicDetail } from "@/api/types";
import { compact, count, rate } from "@/lib/format";
import { State } from "@/ui/badge";
import { Fact, PageHead, TabBar } from "@/ui/page";
import { EmptyState, ErrorState, SkeletonRows, StaleBar } from "@/ui/states";
import { DataTable } from "@/ui/table";
import { ConfigTab } from "./config";
import { MessagesTab } from "./messages";

const route = getRouteApi("/topics/$topic");

const TABS = [
  ["messages", "Messages"],
  ["partitions", "Partitions"],
  ["consumers", "Consumers"],
  ["config", "Config"],
] as const;

export function TopicPage() {
  const { topic } = route.useParams();
  const { tab = "messages" } = route.useSearch();
  const detail = useQuery(topicQuery(topic));
  const perSecond = useLive((live) => live.snapshot?.topic_rates[topic]);
  if (detail.isPending) return <SkeletonRows />;
  if (!detail.data) return <ErrorState error={detail.error} retry={detail.refetch} />;
  const data = detail.data;
  const records = data.partitions.reduce((sum, p) => sum + p.end - p.start, 0);
  const counts: Partial<Record<string, number>> = {
    partitions: data.partitions.length,
    consumers: data.groups.length,
  };
  return (
    <>
      <PageHead
        title={topic}
        mono
        meta={
          <>
            <Fact name={records === 1 ? "record" : "records"}>{compact(records)}</Fact>
            <Fact name="/s">{rate(perSecond ?? 0)}</Fact>
            <Fact name={data.partitions.length === 1 ? "partition" : "partitions"}>
              {data.partitions.length}
            </Fact>
            {data.subjects.map((subject) => (
              <Link
                key={subject}
                to="/schemas/$subject"
                params={{ subject }}
                className="font-mono text-xs text-brand hover:underline"
              >
                {subject}
              </Link>
            ))}
          </>
        }
      >
        <TabBar
          label="Views of the topic"
          tabs={TABS.map(([id, label]) => ({
            label,
            active: tab === id,
            count: counts[id] ?? null,
            link: { to: "/topics/$topic", params: { topic }, search: id === "messages" ? {} : { tab: id } },
          }))}
        />
      </PageHead>
      {detail.error && <StaleBar error={detail.error} retry={detail.refetch} />}
      {tab === "messages" && <MessagesTab topic={data} />}
      {tab === "partitions" && <Partitions topic={data} />}
      {tab === "consumers" && <Consumers topic={data} />}
      {tab === "config" && <ConfigTab topic={data} />}
    </>
  );
}

function Partitions({ topic }: { topic: TopicDetail }) {
  const navigate = useNavigate();
  return (
    <DataTable
      label="Partitions"
      rows={topic.partitions}
      rowKey={(p) => String(p.partition)}
      onOpen={(p) =>
        navigate({ to: "/topics/$topic", params: { topic: topic.name }, search: { partition: p.partition } })
      }
      columns={[
        { id: "partition", header: "Partition", track: "90px", cell: (p) => p.partition },
        {
          id: "leader",
          header: "Leader",
          track: "90px",
          cell: (p) => (p.leader === null ? <span className="text-bad">none</span> : `broker ${p.leader}`),
        },
        {
          id: "start",
          header: "First offset",
          track: "minmax(90px,1fr)",
          align: "right",
          mono: true,
          cell: (p) => count(p.start),
        },
        {
          id: "end",
          header: "End offset",
          track: "minmax(90px,1fr)",
          align: "right",
          mono: true,
          cell: (p) => count(p.end),
        },
        {
          id: "records",
          header: "Records",
          track: "minmax(90px,1fr)",
          align: "right",
          from: "sm",
          cell: (p) => count(p.end - p.start),
        },
      ]}
    />
  );
}

function Consumers({ topic }: { topic: TopicDetail }) {
  const kafka = useQuery(infoQuery).data?.endpoints.kafka ?? "127.0.0.1:9092";
  const navigate = useNavigate();
  if (topic.groups.length === 0) {
    return (
      <EmptyState
        icon={<Users />}
        title="Nobody reads this topic"
        command={`kcat -b ${kafka} -G my-group ${topic.name}`}
      >
        A consumer group shows here once it has committed an offset. Start one with any Kafka client:
      </EmptyState>
    );
  }
  return (
    <DataTable
      label="Consumer groups"
      rows={topic.groups}
      rowKey={(g) => g.group}
      onOpen={(g) => navigate({ to: "/groups/$group", params: { group: g.group } })}
      columns={[
        { id: "group", header: "Group", track: "minmax(160px,3fr)", mono: true, cell: (g) => g.group },
        { id: "state", header: "State", track: "140px", cell: (g) => <State state={g.state} /> },
        {
          id: "lag",
          header: "Lag",
          track: "110px",
          align: "right",
          cell: (g) => <span className={g.lag > 1000 ? "text-warn" : ""}>{count(g.lag)}</span>,
        },
      ]}
    />
  );
}
