import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { EmptyState, ErrorState, SkeletonRows } from "@/ui/states";
import { Layout } from "./layout";
import { flag, oneOf, text, tidy, whole } from "./search";

const rootRoute = createRootRoute({
  component: Layout,
  notFoundComponent: () => (
    <EmptyState
      icon={<Compass />}
      title="There is no such page"
      action={
        <Link to="/" className="text-brand underline underline-offset-2">
          Back to the flow
        </Link>
      }
    />
  ),
});

const sorting = (raw: Record<string, unknown>) => ({
  q: text(raw, "q"),
  sort: text(raw, "sort"),
  down: flag(raw, "down"),
});

const flow = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: (raw: Record<string, unknown>) =>
    tidy({ node: text(raw, "node"), view: oneOf(raw, "view", ["boxes"]) }),
  component: lazyRouteComponent(() => import("@/features/flow/page"), "FlowPage"),
});

const topics = createRoute({
  getParentRoute: () => rootRoute,
  path: "/topics",
  validateSearch: (raw: Record<string, unknown>) =>
    tidy({ ...sorting(raw), internal: flag(raw, "internal") }),
  component: lazyRouteComponent(() => import("@/features/topics/list"), "TopicsPage"),
});

export const TOPIC_TABS = ["messages", "partitions", "consumers", "config"] as const;
const topic = createRoute({
  getParentRoute: () => rootRoute,
  path: "/topics/$topic",
  validateSearch: (raw: Record<string, unknown>) =>
    tidy({
      tab: oneOf(raw, "tab", TOPIC_TABS),
      from: text(raw, "from"),
      partition: whole(raw, "partition"),
      filter: text(raw, "filter"),
      live: flag(raw, "live"),
      open: text(raw, "open"),
    }),
  component: lazyRouteComponent(() => import("@/features/topics/detail"), "TopicPage"),
});

/** Views by path, as people and Airflow's links write them, lead to the same views by query. */
const topicTab = createRoute({
  getParentRoute: () => rootRoute,
  path: "/topics/$topic/$tab",
  beforeLoad: ({ params, location }) => {
    const tab = TOPIC_TABS.find((t) => t === params.tab && t !== "messages");
    throw redirect({
      to: "/topics/$topic",
      params: { topic: params.topic },
      search: { ...location.search, ...(tab ? { tab } : {}) },
      replace: true,
    });
  },
});

const groups = createRoute({
  getParentRoute: () => rootRoute,
  path: "/groups",
  validateSearch: (raw: Record<string, unknown>) => tidy(sorting(raw)),
  component: lazyRouteComponent(() => import("@/features/groups/list"), "GroupsPage"),
});

const group = createRoute({
  getParentRoute: () => rootRoute,
  path: "/groups/$group",
  component: lazyRouteComponent(() => import("@/features/groups/detail"), "GroupPage"),
});

const schemas = createRoute({
  getParentRoute: () => rootRoute,
  path: "/schemas",
  validateSearch: (raw: Record<string, unknown>) => tidy(sorting(raw)),
  component: lazyRouteComponent(() => import("@/features/schemas/list"), "SchemasPage"),
});

const schema = createRoute({
  getParentRoute: () => rootRoute,
  path: "/schemas/$subject",
  validateSearch: (raw: Record<string, unknown>) =>
    tidy({ version: whole(raw, "version"), against: whole(raw, "against"), check: flag(raw, "check") }),
  component: lazyRouteComponent(() => import("@/features/schemas/detail"), "SchemaPage"),
});

const tables = createRoute({
  getParentRoute: () => rootRoute,
  path: "/tables",
  validateSearch: (raw: Record<string, unknown>) => tidy({ q: text(raw, "q"), system: flag(raw, "system") }),
  component: lazyRouteComponent(() => import("@/features/tables/list"), "TablesPage"),
});

const table = createRoute({
  getParentRoute: () => rootRoute,
  path: "/tables/$keyspace/$table",
  validateSearch: (raw: Record<string, unknown>) =>
    tidy({ tab: oneOf(raw, "tab", ["rows", "schema"]), key: text(raw, "key"), open: whole(raw, "open") }),
  component: lazyRouteComponent(() => import("@/features/tables/detail"), "TablePage"),
});

const dags = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dags",
  validateSearch: (raw: Record<string, unknown>) => tidy({ q: text(raw, "q") }),
  component: lazyRouteComponent(() => import("@/features/dags/list"), "DagsPage"),
});

export const DAG_TABS = ["grid", "graph", "code"] as const;
const dag = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dags/$dag",
  validateSearch: (raw: Record<string, unknown>) =>
    tidy({ tab: oneOf(raw, "tab", DAG_TABS), trigger: flag(raw, "trigger") }),
  component: lazyRouteComponent(() => import("@/features/dags/detail"), "DagPage"),
});

const dagTab = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dags/$dag/$tab",
  beforeLoad: ({ params }) => {
    const tab = DAG_TABS.find((t) => t === params.tab && t !== "grid");
    throw redirect({
      to: "/dags/$dag",
      params: { dag: params.dag },
      search: tab ? { tab } : {},
      replace: true,
    });
  },
});

const run = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dags/$dag/runs/$run",
  validateSearch: (raw: Record<string, unknown>) =>
    tidy({ task: text(raw, "task"), map: whole(raw, "map"), attempt: whole(raw, "attempt") }),
  component: lazyRouteComponent(() => import("@/features/dags/run"), "RunPage"),
});

const pipelines = createRoute({
  getParentRoute: () => rootRoute,
  path: "/pipelines",
  component: lazyRouteComponent(() => import("@/features/pipelines/list"), "PipelinesPage"),
});

const pipeline = createRoute({
  getParentRoute: () => rootRoute,
  path: "/pipelines/$pipeline",
  component: lazyRouteComponent(() => import("@/features/pipelines/detail"), "PipelinePage"),
});

const sql = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sql",
  validateSearch: (raw: Record<string, unknown>) => tidy({ q: text(raw, "q") }),
  component: lazyRouteComponent(() => import("@/features/sql/page"), "SqlPage"),
});

const routeTree = rootRoute.addChildren([
  flow,
  topics,
  topic,
  topicTab,
  groups,
  group,
  schemas,
  schema,
  tables,
  table,
  dags,
  dag,
  dagTab,
  run,
  pipelines,
  pipeline,
  sql,
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  defaultPendingComponent: () => <SkeletonRows />,
  defaultErrorComponent: ({ error, reset }) => <ErrorState error={error} retry={reset} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
