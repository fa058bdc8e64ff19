import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { groupQuery } from "@/api/queries";
import type { GroupDetail } from "@/api/types";
import { count } from "@/lib/format";
import { State } from "@/ui/badge";
import { Fact, PageHead, Panel } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { DataTable } from "@/ui/table";

const route = getRouteApi("/groups/$group");

export function GroupPage() {
  const { group } = route.useParams();
  const detail = useQuery(groupQuery(group));
  return <Loaded query={detail}>{(data) => <Body group={data} />}</Loaded>;
}

function Body({ group }: { group: GroupDetail }) {
  const lag = group.partitions.reduce((sum, p) => sum + (p.lag ?? 0), 0);
  const top = Math.max(1, ...group.partitions.map((p) => p.lag ?? 0));
  return (
    <>
      <PageHead
        title={group.group}
        mono
        meta={
          <>
            <State state={group.state} />
            <Fact name={group.members.length === 1 ? "member" : "members"}>{group.members.length}</Fact>
            <Fact name="records behind">{count(lag)}</Fact>
            {group.protocol && <Fact name="assignor">{group.protocol}</Fact>}
          </>
        }
      />
      <div className="flex min-h-0 grow flex-col gap-4 overflow-y-auto p-4">
        <Panel title="Partitions" flush className="shrink-0">
          {group.partitions.length === 0 ? (
            <p className="px-4 pb-4 text-soft">This group has committed no offset yet.</p>
          ) : (
            <DataTable
              label="Lag by partition"
              className="max-h-[55vh]"
              rows={group.partitions}
              rowKey={(p) => `${p.topic}-${p.partition}`}
              columns={[
                {
                  id: "topic",
                  header: "Topic",
                  track: "minmax(110px,2fr)",
                  mono: true,
                  cell: (p) => (
                    <Link
                      to="/topics/$topic"
                      params={{ topic: p.topic }}
                      className="hover:text-brand hover:underline"
                    >
                      {p.topic}
                    </Link>
                  ),
                },
                {
                  id: "partition",
                  header: "Partition",
                  track: "70px",
                  align: "right",
                  cell: (p) => p.partition,
                },
                {
                  id: "committed",
                  header: "Committed",
                  track: "minmax(80px,1fr)",
                  align: "right",
                  mono: true,
                  from: "sm",
                  cell: (p) =>
                    p.committed === null ? <span className="text-faint">none</span> : count(p.committed),
                },
                {
                  id: "end",
                  header: "End",
                  track: "minmax(80px,1fr)",
                  align: "right",
                  mono: true,
                  from: "sm",
                  cell: (p) => count(p.end),
                },
                {
                  id: "bar",
                  header: <span className="sr-only">Share of the lag</span>,
                  track: "minmax(60px,2fr)",
                  from: "md",
                  cell: (p) => <Bar part={(p.lag ?? 0) / top} />,
                },
                {
                  id: "lag",
                  header: "Lag",
                  track: "80px",
                  align: "right",
                  cell: (p) => <span className={(p.lag ?? 0) > 1000 ? "text-warn" : ""}>{count(p.lag)}</span>,
                },
                {
                  id: "member",
                  header: "Read by",
                  track: "minmax(80px,2fr)",
                  mono: true,
                  from: "lg",
                  cell: (p) => p.member ?? <span className="text-warn">nobody</span>,
                },
              ]}
            />
          )}
        </Panel>
        <Panel title="Members" flush className="shrink-0">
          {group.members.length === 0 ? (
            <p className="px-4 pb-4 text-soft">
              Nobody is connected with this group id. Its committed offsets are kept, and the next consumer
              goes on from there.
            </p>
          ) : (
            <ul className="divide-y border-t">
              {group.members.map((member) => (
                <li
                  key={member.member_id}
                  className="grid gap-x-6 gap-y-0.5 px-4 py-2.5 sm:grid-cols-[1fr_auto]"
                >
                  <span className="truncate font-mono text-xs font-medium">{member.client_id}</span>
                  <span className="text-xs text-soft">{member.host.replace(/^\//, "")}</span>
                  <span className="truncate font-mono text-2xs text-faint">{member.member_id}</span>
                  <span className="text-xs text-soft">
                    {member.assignments.map((a) => `${a.topic} ${a.partitions.join(", ")}`).join(" · ") ||
                      "no partitions"}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </Panel>
      </div>
    </>
  );
}

function Bar({ part }: { part: number }) {
  return (
    <div aria-hidden className="h-1.5 overflow-hidden rounded-full bg-sunken">
      <div className="h-full rounded-full bg-warn-mark" style={{ width: `${part * 100}%` }} />
    </div>
  );
}
