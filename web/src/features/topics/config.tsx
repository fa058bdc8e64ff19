import { Settings2 } from "lucide-react";
import type { TopicDetail } from "@/api/types";
import { Badge } from "@/ui/badge";
import { EmptyState } from "@/ui/states";
import { DataTable } from "@/ui/table";
import { meaning } from "./config-meaning";

export function ConfigTab({ topic }: { topic: TopicDetail }) {
  if (topic.configs_error) {
    return (
      <EmptyState icon={<Settings2 />} title="The broker does not tell its configuration">
        {topic.configs_error}
      </EmptyState>
    );
  }
  // What somebody set comes first.
  const rows = [...topic.configs].sort(
    (a, b) => Number(a.is_default) - Number(b.is_default) || a.name.localeCompare(b.name),
  );
  return (
    <DataTable
      label="Configuration"
      rows={rows}
      rowKey={(c) => c.name}
      columns={[
        { id: "name", header: "Key", track: "minmax(180px,1fr)", mono: true, cell: (c) => c.name },
        {
          id: "value",
          header: "Value",
          track: "minmax(120px,1fr)",
          mono: true,
          cell: (c) => (c.sensitive ? "••••" : (c.value ?? "")),
        },
        {
          id: "meaning",
          header: <span className="sr-only">Meaning</span>,
          track: "minmax(90px,1fr)",
          from: "sm",
          cell: (c) => <span className="text-soft">{meaning(c)}</span>,
        },
        {
          id: "origin",
          header: <span className="sr-only">Origin</span>,
          track: "80px",
          from: "sm",
          align: "right",
          cell: (c) =>
            c.is_default ? (
              <span className="text-xs text-faint">default</span>
            ) : (
              <Badge tone="brand">set</Badge>
            ),
        },
      ]}
    />
  );
}
