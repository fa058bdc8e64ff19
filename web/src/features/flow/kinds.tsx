import type { LinkProps } from "@tanstack/react-router";
import {
  CalendarClock,
  Globe,
  Layers,
  type LucideIcon,
  MailWarning,
  Table2,
  Upload,
  Users,
  Waves,
} from "lucide-react";
import type { FlowKind, FlowNode } from "@/api/types";

export const KINDS: Record<
  FlowKind,
  { label: string; icon: LucideIcon; tile: string; unit: string; spark: string }
> = {
  source: {
    label: "Source",
    icon: Globe,
    tile: "bg-sunken text-soft",
    unit: "records",
    spark: "var(--idle-mark)",
  },
  dag: {
    label: "DAG",
    icon: CalendarClock,
    tile: "bg-violet-soft text-violet",
    unit: "in the last run",
    spark: "var(--violet)",
  },
  producer: {
    label: "Clients",
    icon: Upload,
    tile: "bg-sunken text-soft",
    unit: "records",
    spark: "var(--idle-mark)",
  },
  topic: {
    label: "Topic",
    icon: Layers,
    tile: "bg-brand-soft text-brand-strong",
    unit: "records",
    spark: "var(--brand)",
  },
  pipeline: {
    label: "Pipeline",
    icon: Waves,
    tile: "bg-run-soft text-run",
    unit: "out",
    spark: "var(--run-mark)",
  },
  table: {
    label: "Table",
    icon: Table2,
    tile: "bg-ok-soft text-ok",
    unit: "rows written",
    spark: "var(--ok-mark)",
  },
  consumer: {
    label: "Group",
    icon: Users,
    tile: "bg-sunken text-soft",
    unit: "read",
    spark: "var(--idle-mark)",
  },
  dead_letters: {
    label: "Dead letters",
    icon: MailWarning,
    tile: "bg-warn-soft text-warn",
    unit: "rejected",
    spark: "var(--warn-mark)",
  },
};

/** What a node's total counts: `1 record`, `2 records`, `412 rows written`. */
export function unitOf(node: FlowNode): string {
  const { unit } = KINDS[node.kind];
  return node.total === 1 ? unit.replace(/^(record|row)s/, "$1") : unit;
}

/** The page of a node, where it has one. */
export function pageOf(node: FlowNode): LinkProps | null {
  const rest = node.id.slice(node.id.indexOf(":") + 1);
  switch (node.kind) {
    case "topic":
    case "dead_letters":
      return { to: "/topics/$topic", params: { topic: rest } };
    case "dag":
      return { to: "/dags/$dag", params: { dag: rest } };
    case "pipeline":
      return { to: "/pipelines/$pipeline", params: { pipeline: rest } };
    case "consumer":
      return { to: "/groups/$group", params: { group: rest } };
    case "table": {
      const [keyspace = "", table = ""] = rest.split(".");
      return { to: "/tables/$keyspace/$table", params: { keyspace, table } };
    }
    default:
      return null;
  }
}
