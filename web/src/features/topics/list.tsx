import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Layers } from "lucide-react";
import { useMemo } from "react";
import { useLive } from "@/api/events";
import { infoQuery, topicsQuery } from "@/api/queries";
import type { TopicSummary } from "@/api/types";
import { compact, count, rate } from "@/lib/format";
import { matches, sorted } from "@/lib/sort";
import { Badge } from "@/ui/badge";
import { SearchInput } from "@/ui/field";
import { Fact, PageHead, Toolbar } from "@/ui/page";
import { Sparkline } from "@/ui/sparkline";
import { EmptyState, ErrorState, SkeletonRows, StaleBar } from "@/ui/states";
import { type Column, DataTable } from "@/ui/table";

const route = getRouteApi("/topics");
const NONE: Record<string, number> = {};

export function TopicsPage() {
  const topics = useQuery(topicsQuery);
  const rates = useLive((live) => live.snapshot?.topic_rates ?? NONE);
  const sparks = useLive((live) => live.rates);
  const search = route.useSearch();
  const setSearch = route.useNavigate();
  const navigate = useNavigate();
  const by = search.sort ?? "name";
  const down = search.down ?? false;
  const all = topics.data?.topics ?? [];
  const hidden = all.filter((t) => t.internal).length;
  const rows = useMemo(() => {
    const shown = all.filter(
      (t) => (search.internal || !t.internal) && (!search.q || matches(t.name, search.q)),
    );
    return sorted(shown, (t) => sortValue(t, by, rates), down);
  }, [all, search.internal, search.q, by, down, rates]);
  const columns: Column<TopicSummary>[] = [
    {
      id: "name",
      header: "Topic",
      track: "minmax(180px, 3fr)",
      sortable: true,
      cell: (t) => <Name topic={t} />,
    },
    {
      id: "spark",
      header: <span className="sr-only">Recent rate</span>,
      track: "84px",
      from: "md",
      cell: (t) => <Sparkline values={sparks[`topic:${t.name}`] ?? []} />,
    },
    {
      id: "rate",
      header: "Records / s",
      track: "92px",
      align: "right",
      sortable: true,
      cell: (t) => <span className={rates[t.name] ? "" : "text-faint"}>{rate(rates[t.name] ?? 0)}</span>,
    },
    {
      id: "records",
      header: "Records",
      track: "92px",
      align: "right",
      sortable: true,
      cell: (t) => compact(t.records),
    },
    {
      id: "partitions",
      header: "Partitions",
      track: "84px",
      align: "right",
      sortable: true,
      from: "sm",
      cell: (t) => t.partitions,
    },
    {
      id: "groups",
      header: "Groups",
      track: "72px",
      align: "right",
      sortable: true,
      from: "sm",
      cell: (t) => t.groups || <span className="text-faint">0</span>,
    },
  ];
  const total = all.filter((t) => !t.internal);
  return (
    <>
      <PageHead
        title="Topics"
        meta={
          topics.data && (
            <>
              <Fact name={total.length === 1 ? "topic" : "topics"}>{count(total.length)}</Fact>
              <Fact name="records">{compact(total.reduce((sum, t) => sum + (t.records ?? 0), 0))}</Fact>
              <Fact name="/s">{rate(total.reduce((sum, t) => sum + (rates[t.name] ?? 0), 0))}</Fact>
            </>
          )
        }
      />
      <Toolbar>
        <SearchInput
          className="w-full sm:w-72"
          placeholder="Filter by name"
          value={search.q ?? ""}
          onChange={(q) =>
            setSearch({ search: (old) => ({ ...old, q: q || undefined }) as never, replace: true })
          }
        />
        {hidden > 0 && (
          <label className="flex h-8 cursor-pointer items-center gap-2 text-sm text-soft">
            <input
              type="checkbox"
              className="size-3.5 accent-(--brand)"
              checked={search.internal ?? false}
              onChange={(e) =>
                setSearch({
                  search: (old) => ({ ...old, internal: e.target.checked || undefined }) as never,
                  replace: true,
                })
              }
            />
            {hidden} internal
          </label>
        )}
      </Toolbar>
      {topics.error && topics.data && <StaleBar error={topics.error} retry={topics.refetch} />}
      {topics.isPending && <SkeletonRows />}
      {topics.error && !topics.data && <ErrorState error={topics.error} retry={topics.refetch} />}
      {topics.data && rows.length === 0 && (search.q ? <NoMatch q={search.q} /> : <NoTopics />)}
      {rows.length > 0 && (
        <DataTable
          label="Topics"
          columns={columns}
          rows={rows}
          rowKey={(t) => t.name}
          sort={{ by, down }}
          onSort={(s) =>
            setSearch({
              search: (old) => ({ ...old, sort: s.by, down: s.down || undefined }) as never,
              replace: true,
            })
          }
          onOpen={(t) => navigate({ to: "/topics/$topic", params: { topic: t.name } })}
        />
      )}
    </>
  );
}

function sortValue(topic: TopicSummary, by: string, rates: Record<string, number>) {
  switch (by) {
    case "rate":
      return rates[topic.name] ?? 0;
    case "records":
      return topic.records;
    case "partitions":
      return topic.partitions;
    case "groups":
      return topic.groups;
    default:
      return topic.name;
  }
}

function Name({ topic }: { topic: TopicSummary }) {
  return (
    <span className="flex min-w-0 items-center gap-2">
      <span className="truncate font-mono text-xs font-medium">{topic.name}</span>
      {topic.dead_letters_of && <Badge tone={topic.records ? "warn" : "idle"}>dead letters</Badge>}
      {topic.internal && <Badge>internal</Badge>}
    </span>
  );
}

function NoMatch({ q }: { q: string }) {
  return <p className="px-4 py-12 text-center text-soft">No topic's name has “{q}” in it.</p>;
}

function NoTopics() {
  const kafka = useQuery(infoQuery).data?.endpoints.kafka ?? "127.0.0.1:9092";
  return (
    <EmptyState
      icon={<Layers />}
      title="No topics yet"
      command={[
        "tidemill topic create people --partitions 3",
        `echo '{"id":1,"name":"Ada"}' | kcat -b ${kafka} -t people -P`,
      ]}
    >
      A topic is a log that producers append to and consumers read at their own pace. Make one here, or point
      any Kafka client at <span className="font-mono text-xs">{kafka}</span>.
    </EmptyState>
  );
}
