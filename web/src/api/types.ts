/**
 * What the console's own REST and event stream say (`/api/v1`). The Rust side of this contract is
 * `crates/systems/console/src/api`; field names are the wire's.
 */

export type BoxName = "broker" | "registry" | "scheduler" | "engine" | "store" | "console";

/** `checking`: not asked yet. `down`: asked, and it did not answer its own protocol. */
export type BoxStatus = "up" | "down" | "checking";

export interface BoxHealth {
  box: BoxName;
  /** The system it stands for, in that system's words: `kafka`, `http`, `cql`. */
  protocol: string;
  address: string;
  status: BoxStatus;
  /** How long the last question took. */
  latency_ms: number | null;
  /** Version or similar, as the box tells it. */
  detail: string | null;
  error: string | null;
}

export type FlowKind =
  | "source"
  | "dag"
  | "producer"
  | "topic"
  | "pipeline"
  | "table"
  | "consumer"
  | "dead_letters";

/** Colour of a node: `idle` moves nothing and should not; `bad` should move and does not. */
export type FlowState = "ok" | "idle" | "warn" | "bad" | "unknown";

export interface FlowNode {
  /** `topic:users_created`, `pipeline:users`, … */
  id: string;
  kind: FlowKind;
  name: string;
  state: FlowState;
  /** One sentence; present when the state is not `ok`. */
  reason: string | null;
  /** A short second line: `1 partition`, `every 1 minute`, … */
  detail: string | null;
  /** Records or rows that passed since the counter began. */
  total: number | null;
  /** Records per second. */
  rate: number | null;
  lag: number | null;
}

export interface FlowEdge {
  from: string;
  to: string;
  /** Records per second; `null`: not measured. */
  rate: number | null;
  state: FlowState;
  kind: "flow" | "dead_letters" | "trigger";
}

export interface Quantiles {
  p50: number;
  p99: number;
}

export interface Totals {
  records_in: number;
  rows_out: number;
  rejected: number;
  lag: number;
  rate_in: number;
  rate_out: number;
  rate_rejected: number;
  latency_ms: Quantiles | null;
}

export interface Problem {
  severity: "bad" | "warn";
  /** Id of a flow node or `box:<name>`. */
  subject: string;
  title: string;
  reason: string;
}

export interface Snapshot {
  at_ms: number;
  boxes: BoxHealth[];
  nodes: FlowNode[];
  edges: FlowEdge[];
  totals: Totals;
  problems: Problem[];
  /** Name → records appended per second. */
  topic_rates: Record<string, number>;
}

/** `[at_ms, rate_in, rate_out, rate_rejected, lag, p50, p99]` */
export type HistoryPoint = [number, number, number, number, number, number | null, number | null];

export interface History {
  points: HistoryPoint[];
  /** Node id → its last rates, oldest first, one a second. */
  rates: Record<string, number[]>;
}

export interface Info {
  version: string;
  endpoints: Record<"kafka" | "registry" | "scheduler" | "cql" | "engine" | "console", string>;
}

/* Topics */

export interface TopicSummary {
  name: string;
  internal: boolean;
  partitions: number;
  /** Records between the log start and the end; `null` while offsets are unknown. */
  records: number | null;
  end: number | null;
  groups: number;
  dead_letters_of: string | null;
}

export interface TopicPartition {
  partition: number;
  leader: number | null;
  start: number;
  end: number;
}

export interface TopicConfig {
  name: string;
  value: string | null;
  is_default: boolean;
  sensitive: boolean;
  read_only: boolean;
}

export interface TopicDetail {
  name: string;
  id: string;
  internal: boolean;
  partitions: TopicPartition[];
  configs: TopicConfig[];
  configs_error: string | null;
  groups: { group: string; state: string; lag: number }[];
  /** Subjects of this topic that the registry knows. */
  subjects: string[];
}

/** Bytes as the console could read them. */
export interface Payload {
  /** `json`, `text`, `avro`, `bytes`, `null` */
  format: "json" | "text" | "avro" | "bytes" | "null";
  /** JSON text, text, or base64 of the bytes. */
  text: string;
  bytes: number;
  truncated: boolean;
  schema_id: number | null;
}

export interface Message {
  type: "record";
  partition: number;
  offset: number;
  timestamp_ms: number;
  key: Payload;
  value: Payload;
  headers: { key: string; value: string | null }[];
}

export interface ScanProgress {
  type: "progress";
  scanned: number;
  matched: number;
  total: number;
}

export interface ScanEnd {
  type: "end";
  scanned: number;
  matched: number;
  /** `limit`: as many as asked; `end`: nothing more to read; `budget`: stopped at the scan limit. */
  reason: "limit" | "end" | "budget";
  error: string | null;
}

export type ScanLine = Message | ScanProgress | ScanEnd;

/* Groups */

export interface GroupSummary {
  group: string;
  state: string;
  protocol_type: string;
  members: number;
  topics: string[];
  lag: number | null;
}

export interface GroupDetail {
  group: string;
  state: string;
  protocol: string;
  members: {
    member_id: string;
    client_id: string;
    host: string;
    assignments: { topic: string; partitions: number[] }[];
  }[];
  partitions: {
    topic: string;
    partition: number;
    committed: number | null;
    end: number;
    lag: number | null;
    member: string | null;
  }[];
}

/* Schemas */

export interface SubjectSummary {
  subject: string;
  versions: number;
  latest: number;
  id: number;
  type: string;
  compatibility: string;
}

export interface SubjectVersion {
  version: number;
  id: number;
  type: string;
  schema: string;
  references: { name: string; subject: string; version: number }[];
}

export interface SubjectDetail {
  subject: string;
  compatibility: string;
  compatibility_inherited: boolean;
  versions: SubjectVersion[];
}

/* Tables */

export interface Keyspace {
  name: string;
  system: boolean;
  replication: string;
  tables: { name: string; columns: number }[];
}

export interface Column {
  name: string;
  type: string;
  kind: "partition_key" | "clustering" | "static" | "regular";
}

export interface TableDetail {
  keyspace: string;
  table: string;
  columns: Column[];
  /** `CREATE TABLE …` */
  cql: string;
}

/** A cell is text, a number, a boolean, `null`, or JSON for collections. */
export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };

export interface RowPage {
  columns: string[];
  rows: Cell[][];
  /** Opaque; `null` on the last page. */
  next: string | null;
  took_ms: number;
}

/* Pipelines */

export interface Pipeline {
  id: string;
  name: string;
  state: string;
  file: string | null;
  statement: string;
  source: { connector: string; topic?: string; format?: string; url?: string };
  sink: { connector: string; keyspace?: string; table?: string; topic?: string };
  records_in: number;
  records_out: number;
  dead_letters: number;
  dead_letter_topic: string | null;
  first_error: string | null;
  lag: number;
  latency_ms: { p50: number; p99: number; max: number } | null;
  watermark_ms: number | null;
  started_at_ms: number;
  checkpoint: { epoch: number; at_ms: number; duration_ms: number; bytes: number } | null;
  partitions: { topic: string; partition: number; position: number; end: number }[];
  failure: string | null;
  /** What it waits for that does not exist yet. */
  waiting?: string | null;
  /** What happened that the user should know. */
  notice?: string | null;
}

/* DAGs, in Airflow's shapes (REST API v2) */

export interface Dag {
  dag_id: string;
  dag_display_name?: string;
  description?: string | null;
  is_paused: boolean;
  timetable_summary?: string | null;
  timetable_description?: string | null;
  tags?: { name: string }[];
  owners?: string[];
  next_dagrun_run_after?: string | null;
  next_dagrun_logical_date?: string | null;
  fileloc?: string;
  has_import_errors?: boolean;
  params?: Record<string, unknown> | null;
}

export interface DagRun {
  dag_run_id: string;
  dag_id: string;
  state: string;
  run_type: string;
  logical_date: string | null;
  run_after?: string | null;
  queued_at?: string | null;
  start_date: string | null;
  end_date: string | null;
  conf?: Record<string, unknown> | null;
  note?: string | null;
  triggered_by?: string | null;
}

export interface TaskInstance {
  task_id: string;
  dag_run_id: string;
  state: string | null;
  try_number: number;
  max_tries?: number;
  map_index?: number;
  start_date: string | null;
  end_date: string | null;
  duration: number | null;
  operator?: string | null;
  hostname?: string | null;
  note?: string | null;
  /** Why it is in its state; Tidemill's scheduler tells, Airflow's log does. */
  tidemill_reason?: string | null;
}

export interface DagTask {
  task_id: string;
  operator_name?: string | null;
  downstream_task_ids: string[];
  trigger_rule?: string;
  retries?: number;
}

/** The console's own sum: a DAG with its last runs. */
export interface DagSummary {
  dag: Dag;
  runs: Pick<DagRun, "dag_run_id" | "state" | "start_date" | "end_date" | "run_after">[];
}

export interface DagGrid {
  dag: Dag;
  tasks: DagTask[];
  /** Newest first. */
  runs: DagRun[];
  /** Run id → task id → its newest try. */
  instances: Record<string, Record<string, TaskInstance>>;
}

export interface RunDetail {
  run: DagRun;
  tasks: DagTask[];
  instances: TaskInstance[];
  /** Task id → its `return_value`, where it has one. */
  results: Record<string, unknown>;
}

export interface LogLine {
  timestamp?: string | null;
  level?: string | null;
  event: string;
  logger?: string | null;
  [field: string]: unknown;
}

export interface TaskLog {
  content: LogLine[] | string;
  continuation_token: string | null;
}

/** Every failure of `/api/v1` has this body. */
export interface ApiFailure {
  error: {
    /** The box that could not answer, or `console`. */
    part: BoxName;
    /** What went wrong, with the cause. */
    message: string;
    /** What to do about it, if anything is known. */
    hint: string | null;
  };
}
