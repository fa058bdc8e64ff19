import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Database, Table2 } from "lucide-react";
import { infoQuery, keyspacesQuery } from "@/api/queries";
import type { Keyspace } from "@/api/types";
import { matches } from "@/lib/sort";
import { SearchInput } from "@/ui/field";
import { Fact, PageHead, Panel, Toolbar } from "@/ui/page";
import { EmptyState, Loaded } from "@/ui/states";

const route = getRouteApi("/tables");

export function TablesPage() {
  const keyspaces = useQuery(keyspacesQuery);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const own = keyspaces.data?.keyspaces.filter((k) => !k.system) ?? [];
  const tables = own.reduce((sum, k) => sum + k.tables.length, 0);
  return (
    <>
      <PageHead
        title="Tables"
        meta={
          keyspaces.data && (
            <>
              <Fact name={own.length === 1 ? "keyspace" : "keyspaces"}>{own.length}</Fact>
              <Fact name={tables === 1 ? "table" : "tables"}>{tables}</Fact>
            </>
          )
        }
      />
      <Toolbar>
        <SearchInput
          className="w-full sm:w-72"
          placeholder="Filter by keyspace or table"
          value={search.q ?? ""}
          onChange={(q) =>
            navigate({ search: (old) => ({ ...old, q: q || undefined }) as never, replace: true })
          }
        />
        <label className="flex h-8 cursor-pointer items-center gap-2 text-sm text-soft">
          <input
            type="checkbox"
            className="size-3.5 accent-(--brand)"
            checked={search.system ?? false}
            onChange={(e) =>
              navigate({
                search: (old) => ({ ...old, system: e.target.checked || undefined }) as never,
                replace: true,
              })
            }
          />
          System keyspaces
        </label>
      </Toolbar>
      <Loaded query={keyspaces}>
        {(data) => {
          const shown = data.keyspaces
            .filter((k) => search.system || !k.system)
            .map((k) => filtered(k, search.q ?? ""))
            .filter((k) => k !== null);
          if (shown.length === 0)
            return search.q ? (
              <p className="px-4 py-12 text-center text-soft">No table has “{search.q}” in its name.</p>
            ) : (
              <NoTables />
            );
          return (
            <div className="flex min-h-0 grow flex-col gap-4 overflow-y-auto p-4">
              {shown.map((keyspace) => (
                <KeyspacePanel key={keyspace.name} keyspace={keyspace} />
              ))}
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

function filtered(keyspace: Keyspace, q: string): Keyspace | null {
  if (!q) return keyspace;
  const tables = keyspace.tables.filter((t) => matches(`${keyspace.name}.${t.name}`, q));
  return tables.length === 0 ? null : { ...keyspace, tables };
}

function KeyspacePanel({ keyspace }: { keyspace: Keyspace }) {
  return (
    <Panel
      className="shrink-0"
      flush
      title={
        <span className="flex items-center gap-2 font-mono text-[13px]">
          <Database className="size-4 text-faint" /> {keyspace.name}
        </span>
      }
      actions={keyspace.replication}
    >
      {keyspace.tables.length === 0 && <p className="px-4 pb-3 text-soft">No tables in this keyspace.</p>}
      <ul className="grid overflow-hidden border-t sm:grid-cols-2 lg:grid-cols-3">
        {keyspace.tables.map((table) => (
          <li key={table.name} className="-mb-px border-b sm:border-r">
            <Link
              to="/tables/$keyspace/$table"
              params={{ keyspace: keyspace.name, table: table.name }}
              className="flex h-11 items-center gap-2.5 px-4 outline-offset-[-2px] hover:bg-hover"
            >
              <Table2 className="size-4 shrink-0 text-ok" />
              <span className="truncate font-mono text-xs font-medium">{table.name}</span>
              <span className="ml-auto text-xs whitespace-nowrap text-faint">{table.columns} columns</span>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function NoTables() {
  const cql = useQuery(infoQuery).data?.endpoints.cql ?? "127.0.0.1:9042";
  const [host, port] = cql.split(":");
  return (
    <EmptyState
      icon={<Table2 />}
      title="No tables yet"
      command={[
        `cqlsh ${host} ${port} -e "CREATE KEYSPACE shop WITH replication = {'class':'SimpleStrategy','replication_factor':1}"`,
        'tidemill cql -c "CREATE TABLE shop.people (id uuid PRIMARY KEY, name text)"',
      ]}
    >
      Pipelines make the tables they write to. To make one yourself, use cqlsh or any Cassandra driver at{" "}
      <span className="font-mono text-xs">{cql}</span>:
    </EmptyState>
  );
}
