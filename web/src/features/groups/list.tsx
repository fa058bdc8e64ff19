import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Users } from "lucide-react";
import { groupsQuery, infoQuery } from "@/api/queries";
import type { GroupSummary } from "@/api/types";
import { count } from "@/lib/format";
import { matches, sorted } from "@/lib/sort";
import { State } from "@/ui/badge";
import { SearchInput } from "@/ui/field";
import { Fact, PageHead, Toolbar } from "@/ui/page";
import { EmptyState, Loaded } from "@/ui/states";
import { type Column, DataTable } from "@/ui/table";

const route = getRouteApi("/groups");

const COLUMNS: Column<GroupSummary>[] = [
  {
    id: "group",
    header: "Group",
    track: "minmax(130px,3fr)",
    mono: true,
    sortable: true,
    cell: (g) => <span className="font-medium">{g.group}</span>,
  },
  { id: "state", header: "State", track: "112px", sortable: true, cell: (g) => <State state={g.state} /> },
  {
    id: "topics",
    header: "Topics",
    track: "minmax(120px,2fr)",
    mono: true,
    from: "md",
    cell: (g) => <span className="text-soft">{g.topics.join(", ") || "–"}</span>,
  },
  {
    id: "members",
    header: "Members",
    track: "80px",
    align: "right",
    sortable: true,
    from: "sm",
    cell: (g) => g.members,
  },
  {
    id: "lag",
    header: "Lag",
    track: "64px",
    align: "right",
    sortable: true,
    cell: (g) => <Lag lag={g.lag} members={g.members} />,
  },
];

const VALUE: Record<string, (g: GroupSummary) => string | number | null> = {
  group: (g) => g.group,
  state: (g) => g.state,
  members: (g) => g.members,
  lag: (g) => g.lag,
};

export function GroupsPage() {
  const groups = useQuery(groupsQuery);
  const search = route.useSearch();
  const setSearch = route.useNavigate();
  const navigate = useNavigate();
  const by = search.sort ?? "group";
  const down = search.down ?? false;
  return (
    <>
      <PageHead
        title="Consumer groups"
        meta={
          groups.data && (
            <Fact name={groups.data.groups.length === 1 ? "group" : "groups"}>
              {groups.data.groups.length}
            </Fact>
          )
        }
      />
      <Toolbar>
        <SearchInput
          className="w-full sm:w-72"
          placeholder="Filter by group or topic"
          value={search.q ?? ""}
          onChange={(q) =>
            setSearch({ search: (old) => ({ ...old, q: q || undefined }) as never, replace: true })
          }
        />
      </Toolbar>
      <Loaded query={groups}>
        {(data) => {
          const shown = data.groups.filter(
            (g) => !search.q || matches(`${g.group} ${g.topics.join(" ")}`, search.q),
          );
          if (data.groups.length === 0) return <NoGroups />;
          if (shown.length === 0)
            return (
              <p className="px-4 py-12 text-center text-soft">
                No group or its topics have “{search.q}” in the name.
              </p>
            );
          return (
            <DataTable
              label="Consumer groups"
              columns={COLUMNS}
              rows={sorted(shown, VALUE[by] ?? VALUE.group!, down)}
              rowKey={(g) => g.group}
              sort={{ by, down }}
              onSort={(s) =>
                setSearch({
                  search: (old) => ({ ...old, sort: s.by, down: s.down || undefined }) as never,
                  replace: true,
                })
              }
              onOpen={(g) => navigate({ to: "/groups/$group", params: { group: g.group } })}
            />
          );
        }}
      </Loaded>
    </>
  );
}

/** Far behind with nobody reading is worse than far behind. */
export function Lag({ lag, members }: { lag: number | null; members: number }) {
  if (lag === null) return <span className="text-faint">–</span>;
  const tone = lag > 1000 ? (members === 0 ? "text-bad" : "text-warn") : "";
  return <span className={tone}>{count(lag)}</span>;
}

function NoGroups() {
  const kafka = useQuery(infoQuery).data?.endpoints.kafka ?? "127.0.0.1:9092";
  return (
    <EmptyState
      icon={<Users />}
      title="No consumer groups yet"
      command={[
        `kcat -b ${kafka} -G my-group users_created`,
        `kafka-console-consumer.sh --bootstrap-server ${kafka} --topic users_created --group my-group`,
      ]}
    >
      Consumers that share a group id share the work, and their committed offsets show here with how far they
      are behind. Start one:
    </EmptyState>
  );
}
