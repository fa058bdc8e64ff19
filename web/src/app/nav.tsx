import {
  Braces,
  CalendarClock,
  Layers,
  type LucideIcon,
  SquareTerminal,
  Table2,
  Users,
  Waves,
  Waypoints,
} from "lucide-react";

export interface NavItem {
  to: "/" | "/topics" | "/groups" | "/schemas" | "/tables" | "/dags" | "/pipelines" | "/sql";
  label: string;
  icon: LucideIcon;
  /** Pressed after `g`. */
  key: string;
}

export const NAV: { group: string | null; items: NavItem[] }[] = [
  { group: null, items: [{ to: "/", label: "Flow", icon: Waypoints, key: "f" }] },
  {
    group: "Stream",
    items: [
      { to: "/topics", label: "Topics", icon: Layers, key: "t" },
      { to: "/groups", label: "Groups", icon: Users, key: "g" },
      { to: "/schemas", label: "Schemas", icon: Braces, key: "s" },
    ],
  },
  {
    group: "Work",
    items: [
      { to: "/dags", label: "DAGs", icon: CalendarClock, key: "d" },
      { to: "/pipelines", label: "Pipelines", icon: Waves, key: "p" },
    ],
  },
  {
    group: "Store",
    items: [
      { to: "/tables", label: "Tables", icon: Table2, key: "b" },
      { to: "/sql", label: "SQL", icon: SquareTerminal, key: "q" },
    ],
  },
];

export const NAV_ITEMS = NAV.flatMap((section) => section.items);
