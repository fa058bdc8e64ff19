import type {
  BoxName,
  Cell,
  Dag,
  DagGrid,
  DagRun,
  DagSummary,
  DagTask,
  GroupDetail,
  GroupSummary,
  Keyspace,
  LogLine,
  RunDetail,
  SubjectDetail,
  TableDetail,
  TaskInstance,
  TopicDetail,
  TopicSummary,
} from "../src/api/types";
import { endOf } from "./messages.ts";
import { boxes, pipelines, produced, type Scenario, START, seconds, user, uuid } from "./world.ts";

/** An answer other than 200. */
export class Missing extends Error {
  readonly status: number;
  readonly part: BoxName;
  constructor(status: number, part: BoxName, message: string) {
    super(message);
    this.status = status;
    this.part = part;
  }
}

const refused = (part: BoxName, address: string) =>
  new Missing(502, part, `connection refused (${address}): nothing listens there`);

export function answer(
  scenario: Scenario,
  method: string,
  path: string[],
  params: URLSearchParams,
  body: unknown,
): unknown {
  const [area, name, third, fourth, fifth] = path;
  const empty = scenario === "empty";
  switch (area) {
    case "info":
      return {
        version: "0.1.0",
        endpoints: {
          kafka: "127.0.0.1:9092",
          registry: "http://127.0.0.1:8081",
          scheduler: "http://127.0.0.1:8080",
          cql: "127.0.0.1:9042",
          engine: "http://127.0.0.1:8083",
          console: "http://127.0.0.1:9021",
        },
      };
    case "health":
      return { boxes: boxes(scenario) };
    case "topics":
      return name ? topic(name, empty) : { topics: empty ? [] : topics(scenario) };
    case "groups":
      return name ? group(name) : { groups: empty ? [] : groups() };
    case "schemas":
      if (scenario === "down") throw refused("registry", "127.0.0.1:8081");
      return name ? subject(name) : { subjects: empty ? [] : SUBJECTS.map(summary) };
    case "registry":
      return {
        is_compatible: false,
        messages: [
          "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'age' at path '/fields/5' in the new schema has no default value and is missing in the old schema', additionalInfo:'age'}",
        ],
      };
    case "keyspaces":
      if (scenario === "down") throw refused("store", "127.0.0.1:9042");
      if (!name) return { keyspaces: empty ? [] : KEYSPACES };
      if (fifth === "rows") return rows(params);
      return table(name, fourth ?? "");
    case "pipelines":
      return { pipelines: pipelines(scenario) };
    case "dags":
      if (!name) return { dags: empty ? [] : dags(), import_errors: [] };
      return third === "runs" ? run(name, fourth ?? "") : grid(name, Number(params.get("limit") ?? 40));
    case "scheduler":
      return scheduler(method, path.slice(1), body);
    case "sql":
      return {
        columns: ["window_start", "gender", "users"],
        rows: [
          ["2026-11-22 14:00:00", "female", 612],
          ["2026-11-22 14:00:00", "male", 564],
        ],
        took_ms: 12,
        truncated: false,
        job: null,
      };
    default:
      throw new Missing(404, "console", `no such resource: ${third ?? area}`);
  }
}

function topics(scenario: Scenario): TopicSummary[] {
  const one = (
    name: string,
    partitions: number,
    groups: number,
    rest: Partial<TopicSummary> = {},
  ): TopicSummary => {
    const end = Array.from({ length: partitions }, (_, p) => endOf(name, p)).reduce((a, b) => a + b, 0);
    return {
      name,
      internal: name.startsWith("_"),
      partitions,
      records: end,
      end,
      groups,
      dead_letters_of: null,
      ...rest,
    };
  };
  const many =
    scenario === "large"
      ? Array.from({ length: 10_000 }, (_, i) =>
          one(`tenant-${String(i).padStart(5, "0")}.events`, 1 + (i % 6), i % 3),
        )
      : [];
  return [
    one("users_created", 1, 3),
    one("users_created.dlq", 1, 0, { dead_letters_of: "users_created" }),
    one("users_per_minute", 1, 0),
    one("orders", 3, 1),
    one("__consumer_offsets", 50, 0, { internal: true, records: 402, end: 402 }),
    one("_schemas", 1, 0, { internal: true, records: 5, end: 5 }),
    ...many,
  ];
}

function topic(name: string, empty: boolean): TopicDetail {
  if (empty || !topics("normal").some((t) => t.name === name))
    throw new Missing(404, "broker", `topic ${name} does not exist`);
  const partitions = name === "orders" ? 3 : 1;
  const config = (key: string, value: string, isDefault = true) => ({
    name: key,
    value,
    is_default: isDefault,
    sensitive: false,
    read_only: false,
  });
  return {
    name,
    id: uuid(name.length),
    internal: name.startsWith("_"),
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      leader: 1,
      start: 0,
      end: endOf(name, partition),
    })),
    configs: [
      config("cleanup.policy", "delete"),
      config("compression.type", "producer"),
      config("max.message.bytes", "1048588"),
      config("min.insync.replicas", "1"),
      config("retention.bytes", "-1"),
      config("retention.ms", "604800000", name !== "orders"),
      config("segment.bytes", "1073741824"),
      config("segment.ms", "604800000"),
      config("message.timestamp.type", "CreateTime"),
    ],
    configs_error: null,
    groups:
      name === "users_created"
        ? [
            { group: "tidemill-engine.users", state: "Empty", lag: 1 },
            { group: "tidemill-engine.users_per_minute", state: "Empty", lag: 0 },
            { group: "mailer", state: "Stable", lag: 18_204 },
          ]
        : name === "orders"
          ? [{ group: "billing", state: "Stable", lag: 0 }]
          : [],
    subjects: name === "orders" ? ["orders-value"] : [],
  };
}

function groups(): GroupSummary[] {
  return [
    {
      group: "mailer",
      state: "Stable",
      protocol_type: "consumer",
      members: 1,
      topics: ["users_created"],
      lag: 18_204,
    },
    { group: "billing", state: "Stable", protocol_type: "consumer", members: 2, topics: ["orders"], lag: 0 },
    {
      group: "tidemill-engine.users",
      state: "Empty",
      protocol_type: "",
      members: 0,
      topics: ["users_created"],
      lag: 1,
    },
    {
      group: "tidemill-engine.users_per_minute",
      state: "Empty",
      protocol_type: "",
      members: 0,
      topics: ["users_created"],
      lag: 0,
    },
    {
      group: "old-report",
      state: "Empty",
      protocol_type: "consumer",
      members: 0,
      topics: ["orders"],
      lag: 4120,
    },
  ];
}

function group(name: string): GroupDetail {
  const found = groups().find((g) => g.group === name);
  if (!found) throw new Missing(404, "broker", `group ${name} does not exist`);
  const topicName = found.topics[0]!;
  const members = Array.from({ length: found.members }, (_, i) => ({
    member_id: `${name}-${i + 1}-${uuid(i).slice(0, 13)}`,
    client_id: `${name}-${i + 1}`,
    host: "/127.0.0.1",
    assignments: [{ topic: topicName, partitions: topicName === "orders" ? (i === 0 ? [0, 1] : [2]) : [0] }],
  }));
  return {
    group: name,
    state: found.state,
    protocol: found.state === "Stable" ? "range" : "",
    members,
    partitions: Array.from({ length: topicName === "orders" ? 3 : 1 }, (_, partition) => {
      const end = endOf(topicName, partition);
      const lag = Math.round((found.lag ?? 0) / (topicName === "orders" ? 3 : 1));
      return {
        topic: topicName,
        partition,
        committed: Math.max(0, end - lag),
        end,
        lag,
        member: members.find((m) => m.assignments[0]!.partitions.includes(partition))?.client_id ?? null,
      };
    }),
  };
}

const AVRO_1 = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "order_id", type: "long" },
    { name: "customer", type: "string" },
    { name: "total_cents", type: "int" },
  ],
};
const AVRO_2 = {
  ...AVRO_1,
  fields: [...AVRO_1.fields, { name: "currency", type: "string", default: "EUR" }],
};
const AVRO_3 = {
  ...AVRO_2,
  fields: [
    AVRO_2.fields[0],
    AVRO_2.fields[1],
    { name: "total_cents", type: "long" },
    AVRO_2.fields[3],
    {
      name: "lines",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "Line",
          fields: [
            { name: "sku", type: "string" },
            { name: "quantity", type: "int" },
          ],
        },
      },
      default: [],
    },
  ],
};

const SUBJECTS: SubjectDetail[] = [
  {
    subject: "orders-value",
    compatibility: "BACKWARD",
    compatibility_inherited: true,
    versions: [AVRO_1, AVRO_2, AVRO_3].map((s, i) => ({
      version: i + 1,
      id: i + 1,
      type: "AVRO",
      schema: JSON.stringify(s),
      references: [],
    })),
  },
  {
    subject: "orders-key",
    compatibility: "FULL",
    compatibility_inherited: false,
    versions: [{ version: 1, id: 4, type: "AVRO", schema: '"string"', references: [] }],
  },
];

const summary = (s: SubjectDetail) => {
  const last = s.versions.at(-1)!;
  return {
    subject: s.subject,
    versions: s.versions.length,
    latest: last.version,
    id: last.id,
    type: last.type,
    compatibility: s.compatibility,
  };
};

function subject(name: string): SubjectDetail {
  const found = SUBJECTS.find((s) => s.subject === name);
  if (!found) throw new Missing(404, "registry", `subject '${name}' not found`);
  return found;
}

const KEYSPACES: Keyspace[] = [
  {
    name: "spark_streams",
    system: false,
    replication: "SimpleStrategy · 1",
    tables: [{ name: "created_users", columns: 12 }],
  },
  {
    name: "shop",
    system: false,
    replication: "SimpleStrategy · 1",
    tables: [
      { name: "orders_by_customer", columns: 5 },
      { name: "daily_totals", columns: 3 },
    ],
  },
  {
    name: "system_schema",
    system: true,
    replication: "LocalStrategy",
    tables: ["keyspaces", "tables", "columns", "types", "indexes", "views"].map((n) => ({
      name: n,
      columns: 9,
    })),
  },
];

const COLUMNS = [
  "id",
  "address",
  "dob",
  "email",
  "first_name",
  "gender",
  "last_name",
  "phone",
  "picture",
  "post_code",
  "registered_date",
  "username",
];

function table(keyspace: string, name: string): TableDetail {
  return {
    keyspace,
    table: name,
    columns: COLUMNS.map((column) => ({
      name: column,
      type: column === "id" ? "uuid" : "text",
      kind: column === "id" ? "partition_key" : "regular",
    })),
    cql: `CREATE TABLE ${keyspace}.${name} (\n    id uuid PRIMARY KEY,\n${COLUMNS.slice(1)
      .map((c) => `    ${c} text`)
      .join(",\n")}\n);`,
  };
}

function rows(params: URLSearchParams): unknown {
  const page = Number(params.get("page") ?? 0);
  const key = params.get("key");
  const cells = (n: number): Cell[] => COLUMNS.map((c) => String(user(n)[c] ?? ""));
  if (key) {
    const n = Array.from({ length: 4000 }, (_, i) => i).find((i) => uuid(i) === key);
    return { columns: COLUMNS, rows: n === undefined ? [] : [cells(n)], next: null, took_ms: 0.6 };
  }
  return {
    columns: COLUMNS,
    rows: Array.from({ length: 100 }, (_, i) => cells(page * 100 + i * 37)),
    next: String(page + 1),
    took_ms: 2.4,
  };
}

/* DAGs */

const DAGS: Dag[] = [
  {
    dag_id: "user_automation",
    description: "Polls the users API for a minute and produces what it fetched.",
    is_paused: false,
    timetable_summary: "* * * * *",
    timetable_description: "Every minute",
    tags: [{ name: "users" }],
    owners: ["tidemill"],
    fileloc: "dags/user_automation.yaml",
    has_import_errors: false,
    params: { rate: 20 },
  },
  {
    dag_id: "nightly_export",
    description: "Writes yesterday's users to a file.",
    is_paused: true,
    timetable_summary: "0 3 * * *",
    timetable_description: "At 03:00",
    tags: [{ name: "export" }],
    owners: ["tidemill"],
    fileloc: "dags/nightly_export.yaml",
    has_import_errors: false,
    params: {},
  },
];

const TASKS: DagTask[] = [
  {
    task_id: "wait_for_api",
    operator_name: "HttpSensor",
    downstream_task_ids: ["stream_data_from_api"],
    retries: 3,
  },
  {
    task_id: "stream_data_from_api",
    operator_name: "HttpToTopic",
    downstream_task_ids: ["check_counts", "notify"],
    retries: 2,
  },
  { task_id: "check_counts", operator_name: "SqlCheck", downstream_task_ids: ["notify"], retries: 0 },
  { task_id: "notify", operator_name: "Webhook", downstream_task_ids: [], retries: 1 },
];

const triggered: DagRun[] = [];

function runs(dag: string, limit: number): DagRun[] {
  const now = Math.floor(seconds() / 60);
  if (dag === "nightly_export") return [];
  const list = Array.from({ length: Math.min(limit, now) }, (_, i): DagRun => {
    const n = now - i;
    const start = START + n * 60_000;
    const failed = n % 11 === 4;
    return {
      dag_run_id: `scheduled__${new Date(start).toISOString().slice(0, 19)}+00:00`,
      dag_id: dag,
      state: i === 0 ? "running" : failed ? "failed" : "success",
      run_type: "scheduled",
      logical_date: new Date(start).toISOString(),
      run_after: new Date(start).toISOString(),
      start_date: new Date(start + 4).toISOString(),
      end_date: i === 0 ? null : new Date(start + (failed ? 18_000 : 52_000 + (n % 5) * 900)).toISOString(),
      conf: {},
    };
  });
  return [...triggered.filter((r) => r.dag_id === dag), ...list].slice(0, limit);
}

function instances(r: DagRun): TaskInstance[] {
  const start = Date.parse(r.start_date ?? new Date().toISOString());
  return TASKS.map((task, i) => {
    const running = r.state === "running";
    const failed = r.state === "failed";
    const state = running
      ? (["success", "running", null, null][i] ?? null)
      : failed
        ? ["success", "failed", "upstream_failed", "upstream_failed"][i]!
        : "success";
    const began = start + [0, 420, 50_300, 51_100][i]!;
    const took = [0.4, 49.8, 0.7, 0.2][i]!;
    return {
      task_id: task.task_id,
      dag_run_id: r.dag_run_id,
      state,
      try_number: failed && i === 1 ? 3 : state === null ? 0 : 1,
      max_tries: task.retries ?? 0,
      map_index: -1,
      start_date: state === null || state === "upstream_failed" ? null : new Date(began).toISOString(),
      end_date:
        state === "success" || state === "failed" ? new Date(began + took * 1000).toISOString() : null,
      duration: state === "success" || state === "failed" ? took : null,
      operator: task.operator_name ?? null,
      tidemill_reason: state === "failed" ? "127.0.0.1:8899 refused the connection after 3 attempts" : null,
    };
  });
}

function dags(): DagSummary[] {
  return DAGS.map((dag) => ({
    dag: {
      ...dag,
      next_dagrun_run_after: dag.is_paused
        ? null
        : new Date(START + (Math.floor(seconds() / 60) + 1) * 60_000).toISOString(),
    },
    runs: runs(dag.dag_id, 14),
  }));
}

function grid(dag: string, limit: number): DagGrid {
  const found = DAGS.find((d) => d.dag_id === dag);
  if (!found) throw new Missing(404, "scheduler", `The Dag with ID: \`${dag}\` was not found`);
  const list = runs(dag, limit);
  return {
    dag: found,
    tasks: TASKS,
    runs: list,
    instances: Object.fromEntries(
      list.map((r) => [r.dag_run_id, Object.fromEntries(instances(r).map((t) => [t.task_id, t]))]),
    ),
  };
}

function run(dag: string, id: string): RunDetail {
  const found = runs(dag, 1000).find((r) => r.dag_run_id === id);
  if (!found)
    throw new Missing(
      404,
      "scheduler",
      `The DagRun with dag_id: \`${dag}\` and run_id: \`${id}\` was not found`,
    );
  return {
    run: found,
    tasks: TASKS,
    instances: instances(found),
    results:
      found.state === "success"
        ? { stream_data_from_api: { fetched: 1180, produced: 1176, rejected: 4 } }
        : {},
  };
}

function scheduler(method: string, path: string[], body: unknown): unknown {
  const [kind, dag, what] = path;
  const found = DAGS.find((d) => d.dag_id === dag);
  if (kind === "dagSources") return { content: YAML };
  if (!found) throw new Missing(404, "scheduler", `The Dag with ID: \`${dag}\` was not found`);
  if (method === "PATCH") return Object.assign(found, body);
  if (method === "POST" && what === "dagRuns") {
    const now = new Date().toISOString();
    const fresh: DagRun = {
      dag_run_id: `manual__${now.slice(0, 19)}+00:00`,
      dag_id: found.dag_id,
      state: "running",
      run_type: "manual",
      logical_date: now,
      run_after: now,
      start_date: now,
      end_date: null,
      conf: (body as { conf: Record<string, unknown> }).conf,
    };
    triggered.unshift(fresh);
    return fresh;
  }
  if (path.includes("logs")) return log(path);
  throw new Missing(404, "scheduler", "not found");
}

function log(path: string[]): { content: LogLine[]; continuation_token: null } {
  const task = path[5]!;
  const attempt = Number(path.at(-1));
  const at = (s: number) => new Date(Date.now() - 60_000 + s * 1000).toISOString();
  const lines: LogLine[] = [
    { timestamp: at(0), level: "info", event: "::group::Log message source details", sources: [] },
    { timestamp: at(0.1), level: "info", event: `try ${attempt}: task ${task} starts`, logger: "task" },
    {
      timestamp: at(0.3),
      level: "info",
      event: "GET http://127.0.0.1:8899/api/?results=20",
      status: 200,
      ms: 4,
    },
  ];
  for (let i = 0; i < 40; i++)
    lines.push({
      timestamp: at(0.5 + i),
      level: "info",
      event: `fetched 20, produced 20 to users_created`,
      offset: produced(seconds()) - 800 + i * 20,
    });
  lines.push({
    timestamp: at(41),
    level: "warning",
    event: "GET http://127.0.0.1:8899/api/?results=20 answered 503; again in 500 ms",
    status: 503,
  });
  if (attempt > 1)
    lines.push({
      timestamp: at(42),
      level: "error",
      event:
        "ConnectionError: 127.0.0.1:8899 refused the connection after 3 attempts\n  while polling for 60 s\n  fetched 812, produced 812, rejected 0",
    });
  return { content: lines, continuation_token: null };
}

const YAML = `# Polls the users API for a minute, every minute.
dag_id: user_automation
schedule: "* * * * *"
catchup: false
default_args:
  retries: 2
  retry_delay: 2s
params:
  url: http://127.0.0.1:8899/api/
  rate: 20/s
tasks:
  - task_id: stream_data_from_api
    http:
      url: "{{ params.url }}"
      records: results[*]
      for: 50s
      rate: "{{ params.rate }}"
    topic: users_created
  - task_id: check_counts
    depends_on: [stream_data_from_api]
    sql: SELECT COUNT(*) FROM created_users
`;
