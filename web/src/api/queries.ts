import { QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiError, get, put, query, seg } from "./client";
import type {
  DagGrid,
  DagRun,
  DagSummary,
  GroupDetail,
  GroupSummary,
  Info,
  Keyspace,
  Pipeline,
  RowPage,
  RunDetail,
  SubjectDetail,
  SubjectSummary,
  TableDetail,
  TaskLog,
  TopicDetail,
  TopicSummary,
} from "./types";

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // What does not exist will not exist a moment later; a box that is down may come back.
      retry: (failures, error) =>
        failures < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: 500,
      refetchOnWindowFocus: true,
    },
  },
});

const list = <T>(key: string, path: string, every: number) =>
  queryOptions({
    queryKey: [key],
    queryFn: ({ signal }) => get<T>(path, signal),
    refetchInterval: every,
  });

export const infoQuery = queryOptions({
  queryKey: ["info"],
  queryFn: ({ signal }) => get<Info>("/info", signal),
  staleTime: Number.POSITIVE_INFINITY,
});

export const topicsQuery = list<{ topics: TopicSummary[] }>("topics", "/topics", 3000);
export const groupsQuery = list<{ groups: GroupSummary[] }>("groups", "/groups", 3000);
export const subjectsQuery = list<{ subjects: SubjectSummary[] }>("subjects", "/schemas", 10_000);
export const keyspacesQuery = list<{ keyspaces: Keyspace[] }>("keyspaces", "/keyspaces", 10_000);
export const pipelinesQuery = list<{ pipelines: Pipeline[] }>("pipelines", "/pipelines", 1000);
export const dagsQuery = list<{
  dags: DagSummary[];
  import_errors: { filename: string; stack_trace: string }[];
}>("dags", "/dags", 2000);

export const topicQuery = (topic: string) =>
  queryOptions({
    queryKey: ["topic", topic],
    queryFn: ({ signal }) => get<TopicDetail>(`/topics/${seg(topic)}`, signal),
    refetchInterval: 2000,
  });

export const groupQuery = (group: string) =>
  queryOptions({
    queryKey: ["group", group],
    queryFn: ({ signal }) => get<GroupDetail>(`/groups/${seg(group)}`, signal),
    refetchInterval: 2000,
  });

export const subjectQuery = (subject: string) =>
  queryOptions({
    queryKey: ["subject", subject],
    queryFn: ({ signal }) => get<SubjectDetail>(`/schemas/${seg(subject)}`, signal),
  });

export const tableQuery = (keyspace: string, table: string) =>
  queryOptions({
    queryKey: ["table", keyspace, table],
    queryFn: ({ signal }) => get<TableDetail>(`/keyspaces/${seg(keyspace)}/tables/${seg(table)}`, signal),
  });

export const rowsPath = (
  keyspace: string,
  table: string,
  params: { page?: string | null; limit?: number; key?: string },
) => `/keyspaces/${seg(keyspace)}/tables/${seg(table)}/rows${query(params)}`;

export const fetchRows = (path: string, signal: AbortSignal) => get<RowPage>(path, signal);

export const gridQuery = (dag: string, limit: number) =>
  queryOptions({
    queryKey: ["dag", dag, limit],
    queryFn: ({ signal }) => get<DagGrid>(`/dags/${seg(dag)}/grid${query({ limit })}`, signal),
    refetchInterval: 1500,
  });

export const runQuery = (dag: string, run: string) =>
  queryOptions({
    queryKey: ["run", dag, run],
    queryFn: ({ signal }) => get<RunDetail>(`/dags/${seg(dag)}/runs/${seg(run)}`, signal),
    refetchInterval: (q) => (isOver(q.state.data?.run.state) ? 10_000 : 1000),
  });

/** Whether a run or task will not change any more by itself. */
export function isOver(state: string | null | undefined): boolean {
  return ["success", "failed", "skipped", "upstream_failed", "removed"].includes(state ?? "");
}

export const logPath = (
  dag: string,
  run: string,
  task: string,
  attempt: number,
  mapIndex: number,
  token?: string | null,
) =>
  `/scheduler/dags/${seg(dag)}/dagRuns/${seg(run)}/taskInstances/${seg(task)}/logs/${attempt}${query({
    map_index: mapIndex >= 0 ? mapIndex : null,
    token,
  })}`;

/** Pieces read in one turn; the rest comes with the next. */
const LOG_PIECES_MAX = 20;

/** A log grows: what was read is kept, and only what follows is asked for. */
export const logQuery = (
  dag: string,
  run: string,
  task: string,
  attempt: number,
  mapIndex: number,
  live: boolean,
) =>
  queryOptions({
    queryKey: ["log", dag, run, task, attempt, mapIndex],
    queryFn: async ({ signal, queryKey }) => {
      let log = client.getQueryData<TaskLog>(queryKey);
      // Without a token it was complete, or the scheduler gives no pieces: read it anew.
      if (!log?.continuation_token) log = undefined;
      for (let piece = 0; piece < LOG_PIECES_MAX; piece++) {
        const next = await get<TaskLog>(
          logPath(dag, run, task, attempt, mapIndex, log?.continuation_token),
          signal,
        );
        const grew = next.content.length > 0;
        log = log ? appended(log, next) : next;
        if (!next.continuation_token || !grew) break;
      }
      return log as TaskLog;
    },
    refetchInterval: live ? 1000 : false,
  });

function appended(log: TaskLog, next: TaskLog): TaskLog {
  const content =
    typeof log.content === "string" || typeof next.content === "string"
      ? `${asText(log.content)}${asText(next.content)}`
      : [...log.content, ...next.content];
  return { content, continuation_token: next.continuation_token };
}

function asText(content: TaskLog["content"]): string {
  return typeof content === "string" ? content : content.map((line) => `${line.event}\n`).join("");
}

export const sourceQuery = (dag: string) =>
  queryOptions({
    queryKey: ["source", dag],
    queryFn: ({ signal }) => get<{ content: string }>(`/scheduler/dagSources/${seg(dag)}`, signal),
  });

export const triggerRun = (dag: string, conf: Record<string, unknown>) =>
  put<DagRun>("POST", `/scheduler/dags/${seg(dag)}/dagRuns`, { logical_date: null, conf });

export const setPaused = (dag: string, paused: boolean) =>
  put("PATCH", `/scheduler/dags/${seg(dag)}?update_mask=is_paused`, { is_paused: paused });
