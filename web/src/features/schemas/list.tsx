import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Braces } from "lucide-react";
import { infoQuery, subjectsQuery } from "@/api/queries";
import type { SubjectSummary } from "@/api/types";
import { matches, sorted } from "@/lib/sort";
import { Badge } from "@/ui/badge";
import { SearchInput } from "@/ui/field";
import { Fact, PageHead, Toolbar } from "@/ui/page";
import { EmptyState, Loaded } from "@/ui/states";
import { type Column, DataTable } from "@/ui/table";

const route = getRouteApi("/schemas");

const COLUMNS: Column<SubjectSummary>[] = [
  {
    id: "subject",
    header: "Subject",
    track: "minmax(180px,3fr)",
    mono: true,
    sortable: true,
    cell: (s) => <span className="font-medium">{s.subject}</span>,
  },
  { id: "type", header: "Type", track: "110px", cell: (s) => <Badge tone="brand">{s.type}</Badge> },
  {
    id: "versions",
    header: "Versions",
    track: "80px",
    align: "right",
    sortable: true,
    cell: (s) => s.versions,
  },
  { id: "id", header: "Newest id", track: "90px", align: "right", mono: true, from: "sm", cell: (s) => s.id },
  {
    id: "compatibility",
    header: "Compatibility",
    track: "minmax(120px,1fr)",
    from: "sm",
    cell: (s) => <span className="text-soft">{s.compatibility.toLowerCase().replaceAll("_", " ")}</span>,
  },
];

export function SchemasPage() {
  const subjects = useQuery(subjectsQuery);
  const search = route.useSearch();
  const setSearch = route.useNavigate();
  const navigate = useNavigate();
  const by = search.sort ?? "subject";
  const down = search.down ?? false;
  return (
    <>
      <PageHead
        title="Schemas"
        meta={
          subjects.data && (
            <Fact name={subjects.data.subjects.length === 1 ? "subject" : "subjects"}>
              {subjects.data.subjects.length}
            </Fact>
          )
        }
      />
      <Toolbar>
        <SearchInput
          className="w-full sm:w-72"
          placeholder="Filter by subject"
          value={search.q ?? ""}
          onChange={(q) =>
            setSearch({ search: (old) => ({ ...old, q: q || undefined }) as never, replace: true })
          }
        />
      </Toolbar>
      <Loaded query={subjects}>
        {(data) => {
          const shown = data.subjects.filter((s) => !search.q || matches(s.subject, search.q));
          if (data.subjects.length === 0) return <NoSubjects />;
          if (shown.length === 0)
            return (
              <p className="px-4 py-12 text-center text-soft">No subject has “{search.q}” in its name.</p>
            );
          return (
            <DataTable
              label="Subjects"
              columns={COLUMNS}
              rows={sorted(shown, (s) => (by === "versions" ? s.versions : s.subject), down)}
              rowKey={(s) => s.subject}
              sort={{ by, down }}
              onSort={(s) =>
                setSearch({
                  search: (old) => ({ ...old, sort: s.by, down: s.down || undefined }) as never,
                  replace: true,
                })
              }
              onOpen={(s) => navigate({ to: "/schemas/$subject", params: { subject: s.subject } })}
            />
          );
        }}
      </Loaded>
    </>
  );
}

function NoSubjects() {
  const registry = useQuery(infoQuery).data?.endpoints.registry ?? "http://127.0.0.1:8081";
  return (
    <EmptyState
      icon={<Braces />}
      title="No schemas yet"
      command={`curl -X POST ${registry}/subjects/people-value/versions \\
  -H 'Content-Type: application/vnd.schemaregistry.v1+json' \\
  -d '{"schema":"{\\"type\\":\\"record\\",\\"name\\":\\"Person\\",\\"fields\\":[{\\"name\\":\\"id\\",\\"type\\":\\"long\\"}]}"}'`}
    >
      A subject keeps the versions of one schema and refuses those that would break its readers. Producers
      with a schema serializer register theirs by themselves; this registers one by hand:
    </EmptyState>
  );
}
