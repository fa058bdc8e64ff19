import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { KeyRound, LoaderCircle, RotateCw, Table2 } from "lucide-react";
import { useMemo } from "react";
import { fetchRows, infoQuery, rowsPath, tableQuery } from "@/api/queries";
import type { Cell, RowPage, TableDetail } from "@/api/types";
import { count, duration } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CodeBlock, CopyButton } from "@/ui/code";
import { SearchInput } from "@/ui/field";
import { JsonTree } from "@/ui/json-tree";
import { Drawer } from "@/ui/overlay";
import { Fact, PageHead, TabBar, Toolbar } from "@/ui/page";
import { EmptyState, ErrorState, Loaded, SkeletonRows } from "@/ui/states";
import { type Column, DataTable } from "@/ui/table";

const route = getRouteApi("/tables/$keyspace/$table");
const PAGE = 100;

export function TablePage() {
  const { keyspace, table } = route.useParams();
  const { tab = "rows" } = route.useSearch();
  const detail = useQuery(tableQuery(keyspace, table));
  return (
    <Loaded query={detail}>
      {(data) => (
        <>
          <PageHead
            title={
              <>
                <span className="text-soft">{keyspace}.</span>
                {table}
              </>
            }
            mono
            meta={<Fact name="columns">{data.columns.length}</Fact>}
          >
            <TabBar
              label="Views of the table"
              tabs={(["rows", "schema"] as const).map((id) => ({
                label: id === "rows" ? "Rows" : "Schema",
                active: tab === id,
                link: {
                  to: "/tables/$keyspace/$table",
                  params: { keyspace, table },
                  search: id === "rows" ? {} : { tab: id },
                },
              }))}
            />
          </PageHead>
          {tab === "rows" ? <Rows table={data} /> : <Schema table={data} />}
        </>
      )}
    </Loaded>
  );
}

interface Row {
  at: number;
  cells: Cell[];
}

function Rows({ table }: { table: TableDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const key = search.key ?? "";
  const pages = useInfiniteQuery({
    queryKey: ["rows", table.keyspace, table.table, key],
    queryFn: ({ pageParam, signal }) =>
      fetchRows(rowsPath(table.keyspace, table.table, { page: pageParam, limit: PAGE, key }), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last: RowPage) => last.next,
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  });
  const first = pages.data?.pages[0];
  const rows = useMemo(
    () => (pages.data?.pages ?? []).flatMap((p) => p.rows).map((cells, at): Row => ({ at, cells })),
    [pages.data],
  );
  const columns = useMemo(() => columnsOf(first?.columns ?? [], table), [first, table]);
  const open = search.open === undefined ? undefined : rows[search.open];
  const partitionKey = table.columns.filter((c) => c.kind === "partition_key");
  const setOpen = (at: number | undefined) =>
    navigate({ search: (old) => ({ ...old, open: at }) as never, replace: true });
  return (
    <>
      <Toolbar>
        <SearchInput
          className="min-w-56 grow sm:max-w-[420px]"
          placeholder={`Look up by ${partitionKey.map((c) => c.name).join(", ")}`}
          delayMs={600}
          value={key}
          onChange={(text) =>
            navigate({
              search: (old) => ({ ...old, key: text || undefined, open: undefined }) as never,
              replace: true,
            })
          }
        />
        <Button
          size="icon"
          look="ghost"
          aria-label="Read again"
          title="Read again"
          onClick={() => pages.refetch()}
        >
          <RotateCw className="size-3.5" />
        </Button>
        <div role="status" className="ml-auto flex items-center gap-2 text-xs text-soft">
          {pages.isFetching && <LoaderCircle className="size-3.5 animate-spin" />}
          {first &&
            `${count(rows.length)} rows${pages.hasNextPage ? ", more follow" : ""} · ${duration(first.took_ms)}`}
        </div>
      </Toolbar>
      {pages.isPending && <SkeletonRows rows={12} />}
      {pages.error && rows.length === 0 && <ErrorState error={pages.error} retry={pages.refetch} />}
      {first &&
        rows.length === 0 &&
        (key ? (
          <p className="px-4 py-16 text-center text-soft">No row has this key.</p>
        ) : (
          <NoRows table={table} />
        ))}
      {rows.length > 0 && (
        <DataTable
          label={`Rows of ${table.keyspace}.${table.table}`}
          columns={columns}
          rows={rows}
          rowKey={(r) => String(r.at)}
          rowHeight={32}
          isOpen={(r) => r.at === search.open}
          onOpen={(r) => setOpen(r.at === search.open ? undefined : r.at)}
          footer={
            pages.hasNextPage && (
              <div className="sticky left-0 flex w-[min(100%,100vw)] justify-center p-3">
                <Button disabled={pages.isFetchingNextPage} onClick={() => pages.fetchNextPage()}>
                  Next {PAGE} rows
                </Button>
              </div>
            )
          }
        />
      )}
      <Drawer
        open={open !== undefined}
        onClose={() => setOpen(undefined)}
        title="Row"
        subtitle={
          <span className="font-mono">
            {table.keyspace}.{table.table}
          </span>
        }
      >
        {open && first && <RowView columns={first.columns} cells={open.cells} table={table} />}
      </Drawer>
    </>
  );
}

/** Roughly as wide as what is in it. */
const WIDTHS: Record<string, string> = {
  uuid: "270px",
  timeuuid: "270px",
  int: "80px",
  boolean: "64px",
  bigint: "110px",
  timestamp: "190px",
};

function columnsOf(names: string[], table: TableDetail): Column<Row>[] {
  return names.map((name, i) => {
    const known = table.columns.find((c) => c.name === name);
    const key = known?.kind === "partition_key" || known?.kind === "clustering";
    return {
      id: name,
      track: WIDTHS[known?.type ?? ""] ?? "minmax(150px, 1fr)",
      mono: true,
      header: (
        <span className="inline-flex items-center gap-1" title={known?.type}>
          {key && <KeyRound className="size-3 text-brand" aria-label="part of the key" />}
          {name}
        </span>
      ),
      cell: (row) => <CellView value={row.cells[i] ?? null} />,
    };
  });
}

function CellView({ value }: { value: Cell }) {
  if (value === null) return <span className="text-faint italic">null</span>;
  return <>{typeof value === "object" ? JSON.stringify(value) : String(value)}</>;
}

function RowView({ columns, cells, table }: { columns: string[]; cells: Cell[]; table: TableDetail }) {
  return (
    <dl className="divide-y">
      {columns.map((name, i) => {
        const value = cells[i] ?? null;
        const known = table.columns.find((c) => c.name === name);
        return (
          <div key={name} className="group px-4 py-2">
            <dt className="flex items-center gap-2 text-xs text-faint">
              {name}
              <span className="font-mono text-2xs">{known?.type}</span>
              {typeof value !== "object" && (
                <span className="ml-auto opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
                  <CopyButton text={String(value)} label={`Copy ${name}`} />
                </span>
              )}
            </dt>
            <dd className="min-h-5 font-mono text-xs break-words">
              {value !== null && typeof value === "object" ? (
                <JsonTree value={value} />
              ) : (
                <CellView value={value} />
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

const KIND = {
  partition_key: "partition key",
  clustering: "clustering",
  static: "static",
  regular: "",
} as const;

function Schema({ table }: { table: TableDetail }) {
  return (
    <div className="grid min-h-0 grow content-start gap-4 overflow-y-auto p-4 lg:grid-cols-2">
      <div className="overflow-hidden rounded-lg border bg-panel">
        <table className="w-full text-left">
          <thead className="border-b text-xs text-faint">
            <tr>
              <th className="px-4 py-2 font-medium">Column</th>
              <th className="px-4 py-2 font-medium">Type</th>
              <th className="px-4 py-2 font-medium">
                <span className="sr-only">Kind</span>
              </th>
            </tr>
          </thead>
          <tbody className="divide-y">
            {table.columns.map((column) => (
              <tr key={column.name}>
                <td className="px-4 py-1.5 font-mono text-xs font-medium">{column.name}</td>
                <td className="px-4 py-1.5 font-mono text-xs text-soft">{column.type}</td>
                <td className="px-4 py-1.5 text-right">
                  {KIND[column.kind] && <Badge tone="brand">{KIND[column.kind]}</Badge>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <CodeBlock code={table.cql} language="sql" tall className="self-start bg-panel" />
    </div>
  );
}

function NoRows({ table }: { table: TableDetail }) {
  const cql = useQuery(infoQuery).data?.endpoints.cql ?? "127.0.0.1:9042";
  const name = `${table.keyspace}.${table.table}`;
  return (
    <EmptyState
      icon={<Table2 />}
      title="No rows yet"
      command={`cqlsh ${cql.replace(":", " ")} -e "SELECT * FROM ${name} LIMIT 10"`}
    >
      Nothing has been written to {name}, or all of it has been deleted. If a pipeline should fill it, its
      page says how far it is.
    </EmptyState>
  );
}
