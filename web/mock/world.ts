import type {
  BoxHealth,
  FlowEdge,
  FlowNode,
  HistoryPoint,
  Message,
  Payload,
  Pipeline,
  Problem,
  Snapshot,
} from "../src/api/types";

/**
 * A machine that runs the example project, as a function of time: the same second gives the same
 * answer. For developing and testing pages without a running Tidemill; never part of the build.
 */

export type Scenario = "normal" | "empty" | "failing" | "down" | "large";
export const SCENARIOS: Scenario[] = ["normal", "empty", "failing", "down", "large"];

export const START = Date.now() - 47 * 60_000;

/** Seconds the line has been stopped in scenario `failing`. */
const STOPPED_S = 95;

const wave = (s: number) =>
  19.6 + 3.2 * Math.sin(s / 7) + 1.6 * Math.sin(s / 2.3) + (((s * 7919) % 13) - 6) / 4;

export function seconds(at = Date.now()): number {
  return Math.floor((at - START) / 1000);
}

/** Records produced in all up to second `s`. */
export function produced(s: number): number {
  return Math.max(0, Math.round(19.6 * s + 22.4 * (1 - Math.cos(s / 7)) + 3.7 * (1 - Math.cos(s / 2.3))));
}

export function rejected(s: number): number {
  return Math.floor(Math.max(0, s) / 97) + Math.floor(Math.max(0, s) / 331);
}

export function written(s: number, scenario: Scenario): number {
  const until = scenario === "failing" ? s - STOPPED_S : s;
  return produced(until) - rejected(until);
}

function hash(n: number): number {
  let x = n | 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}
const pick = <T>(n: number, from: T[]): T => from[hash(n) % from.length]!;

const FIRST = [
  "Ada",
  "Grace",
  "Edsger",
  "Barbara",
  "Donald",
  "Radia",
  "Ken",
  "Frances",
  "Niklaus",
  "Margaret",
  "Alan",
  "Hedy",
  "Leslie",
  "Shafi",
  "Tony",
  "Karen",
];
const LAST = [
  "Lovelace",
  "Hopper",
  "Dijkstra",
  "Liskov",
  "Knuth",
  "Perlman",
  "Thompson",
  "Allen",
  "Wirth",
  "Hamilton",
  "Turing",
  "Lamarr",
  "Lamport",
  "Goldwasser",
  "Hoare",
  "Jones",
];
const STREET = [
  "Harbour Lane",
  "Mill Road",
  "Quay Street",
  "Tide Walk",
  "Station Approach",
  "High Street",
  "Rue Pierre-Delore",
  "Hauptstraße",
];
const CITY = [
  "Woodbridge, Suffolk, United Kingdom",
  "Lyon, Rhône, France",
  "Bergen, Vestland, Norway",
  "Kiel, Schleswig-Holstein, Germany",
  "Hobart, Tasmania, Australia",
  "Galway, Connacht, Ireland",
];

export function uuid(n: number): string {
  const h = [0, 1, 2, 3]
    .map((i) =>
      hash(n * 4 + i)
        .toString(16)
        .padStart(8, "0"),
    )
    .join("");
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;
}

export function user(n: number): Record<string, string | number> {
  const first = pick(n, FIRST);
  const last = pick(n + 11, LAST);
  return {
    id: uuid(n),
    first_name: first,
    last_name: last,
    gender: hash(n) % 2 === 0 ? "female" : "male",
    address: `${(hash(n + 3) % 9800) + 1} ${pick(n + 5, STREET)}, ${pick(n + 7, CITY)}`,
    post_code: hash(n) % 3 === 0 ? `IP12 ${hash(n) % 9}BY` : hash(n) % 90_000,
    email: `${first.toLowerCase()}.${last.toLowerCase()}@example.com`,
    username: `${pick(n, ["silver", "quiet", "brave", "heavy", "golden"])}${pick(n + 1, ["otter", "heron", "koala", "lion", "swan"])}${100 + (hash(n) % 899)}`,
    dob: new Date(-5e11 + (hash(n) % 1e6) * 1e6).toISOString(),
    registered_date: new Date(1.1e12 + (hash(n + 2) % 1e6) * 5e5).toISOString(),
    phone: `0${hash(n) % 99_999_999}`,
    picture: `http://127.0.0.1:8899/api/portraits/med/${hash(n) % 99}.svg`,
  };
}

export function json(value: unknown): Payload {
  const text = JSON.stringify(value);
  return { format: "json", text, bytes: text.length, truncated: false, schema_id: null };
}

export const none: Payload = { format: "null", text: "", bytes: 0, truncated: false, schema_id: null };

/** When record `n` of `users_created` was produced. */
export function producedAt(n: number): number {
  return START + Math.round((n / 19.6) * 1000) + (hash(n) % 40);
}

export function message(topic: string, partition: number, offset: number): Message {
  if (topic.endsWith(".dlq")) {
    return {
      type: "record",
      partition,
      offset,
      timestamp_ms: START + offset * 74_000,
      key: none,
      value: {
        format: "text",
        text: `{"id":"${uuid(offset)}","first_name":"Ada","post_code":`,
        bytes: 71,
        truncated: false,
        schema_id: null,
      },
      headers: [
        { key: "__connect.errors.topic", value: "users_created" },
        { key: "__connect.errors.partition", value: "0" },
        { key: "__connect.errors.offset", value: String(offset * 1893 + 412) },
        { key: "__connect.errors.connector.name", value: "users" },
        { key: "__connect.errors.stage", value: "VALUE_CONVERTER" },
        { key: "__connect.errors.exception.class.name", value: "JsonParseException" },
        {
          key: "__connect.errors.exception.message",
          value: 'unexpected end of input at line 1 column 72: a value was expected after "post_code"',
        },
      ],
    };
  }
  const n = topic === "users_created" ? offset : offset * 3 + partition;
  return {
    type: "record",
    partition,
    offset,
    timestamp_ms: topic === "users_created" ? producedAt(n) : START + n * 800,
    key:
      topic === "orders"
        ? { format: "text", text: `order-${n}`, bytes: 10, truncated: false, schema_id: null }
        : none,
    value:
      topic === "orders"
        ? {
            ...json({
              order_id: n,
              customer: uuid(n % 500),
              total_cents: hash(n) % 90_000,
              currency: "EUR",
              lines: [{ sku: `SKU-${hash(n) % 999}`, quantity: 1 + (n % 4) }],
            }),
            format: "avro",
            schema_id: 3,
          }
        : json(user(n)),
    headers:
      topic === "orders"
        ? [{ key: "traceparent", value: `00-${uuid(n).replaceAll("-", "")}-b7ad6b7169203331-01` }]
        : [],
  };
}

export function boxes(scenario: Scenario): BoxHealth[] {
  const down = scenario === "down";
  const box = (
    name: BoxHealth["box"],
    protocol: string,
    address: string,
    ms: number,
    detail: string,
  ): BoxHealth => ({
    box: name,
    protocol,
    address,
    status: "up",
    latency_ms: ms,
    detail,
    error: null,
  });
  const all = [
    box("broker", "kafka", "127.0.0.1:9092", 0.3, "cluster 5Yx0vG1rQ0eGkW2b"),
    box("registry", "http", "http://127.0.0.1:8081", 0.5, ""),
    box("scheduler", "http", "http://127.0.0.1:8080", 0.8, "1 DAG"),
    box("engine", "http", "http://127.0.0.1:8083", 0.6, "1 pipeline"),
    box("store", "cql", "127.0.0.1:9042", 0.4, "CQL 3.4.7"),
    box("console", "http", "http://127.0.0.1:9021", 0.1, "0.1.0"),
  ];
  return all.map((b) =>
    down && (b.box === "store" || b.box === "registry")
      ? {
          ...b,
          status: "down",
          latency_ms: null,
          error: `connection refused (${b.address}): nothing listens there`,
        }
      : b,
  );
}

export function pipelines(scenario: Scenario): Pipeline[] {
  if (scenario === "empty") return [];
  const s = seconds();
  const failing = scenario === "failing" || scenario === "down";
  const out = written(s, scenario === "down" ? "failing" : scenario);
  const position = out + rejected(s);
  const users: Pipeline = {
    id: "users",
    name: "users",
    state: failing ? "FAILED" : "RUNNING",
    file: "pipelines/users.sql",
    statement: `INSERT INTO created_users
SELECT CAST(id AS STRING) AS id, first_name, last_name, gender, address,
       CAST(post_code AS STRING) AS post_code, email, username, dob,
       registered_date, phone, picture
FROM users_created
WHERE id IS NOT NULL;`,
    source: { connector: "kafka", topic: "users_created", format: "json" },
    sink: { connector: "cassandra", keyspace: "spark_streams", table: "created_users" },
    records_in: position,
    records_out: out,
    dead_letters: rejected(s),
    dead_letter_topic: "users_created.dlq",
    first_error:
      'users_created-0@412: unexpected end of input at line 1 column 72: a value was expected after "post_code"',
    lag: produced(s) - position,
    latency_ms: failing
      ? null
      : { p50: 3.1 + Math.sin(s / 9) * 0.4, p99: 7.4 + Math.sin(s / 5) * 1.8, max: 31 },
    watermark_ms: Date.now() - 1200,
    started_at_ms: START,
    checkpoint: {
      epoch: Math.floor(s / 10),
      at_ms: START + Math.floor(s / 10) * 10_000,
      duration_ms: 4.2,
      bytes: 2148,
    },
    partitions: [{ topic: "users_created", partition: 0, position, end: produced(s) }],
    failure: failing
      ? "sink spark_streams.created_users: no contact point answered (127.0.0.1:9042: connection refused); 12 attempts, next in 8 s"
      : null,
  };
  const counts: Pipeline = {
    id: "users_per_minute",
    name: "users_per_minute",
    state: "RUNNING",
    file: "pipelines/users.sql",
    statement: `INSERT INTO users_per_minute
SELECT window_start, gender, COUNT(*) AS users
FROM TABLE(TUMBLE(TABLE users_created, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, gender;`,
    source: { connector: "kafka", topic: "users_created", format: "json" },
    sink: { connector: "kafka", topic: "users_per_minute" },
    records_in: produced(s),
    records_out: Math.floor(s / 60) * 2,
    dead_letters: 0,
    dead_letter_topic: null,
    first_error: null,
    lag: 0,
    latency_ms: { p50: 2.2, p99: 5.9, max: 12 },
    watermark_ms: Date.now() - 1200,
    started_at_ms: START,
    checkpoint: {
      epoch: Math.floor(s / 10),
      at_ms: START + Math.floor(s / 10) * 10_000,
      duration_ms: 3.1,
      bytes: 812,
    },
    partitions: [{ topic: "users_created", partition: 0, position: produced(s), end: produced(s) }],
    failure: null,
  };
  return [users, counts];
}

export function snapshot(scenario: Scenario, at = Date.now()): Snapshot {
  if (scenario === "empty") {
    return {
      at_ms: at,
      boxes: boxes(scenario),
      nodes: [],
      edges: [],
      totals: {
        records_in: 0,
        rows_out: 0,
        rejected: 0,
        lag: 0,
        rate_in: 0,
        rate_out: 0,
        rate_rejected: 0,
        latency_ms: null,
      },
      problems: [],
      topic_rates: {},
    };
  }
  const s = seconds(at);
  const failing = scenario === "failing" || scenario === "down";
  const rateIn = produced(s) - produced(s - 1) + (s % 3) * 0.2;
  const rateOut = failing ? 0 : rateIn;
  const total = produced(s);
  const out = written(s, failing ? "failing" : scenario);
  const lag = failing ? total - out - rejected(s) : Math.max(0, Math.round(Math.sin(s / 11) * 2));
  const why =
    "Writes to spark_streams.created_users fail: no contact point answered (127.0.0.1:9042: connection refused).";
  const minute = Math.floor(s / 60) * 2;
  const node = (n: Partial<FlowNode> & Pick<FlowNode, "id" | "kind" | "name">): FlowNode => ({
    state: "ok",
    reason: null,
    detail: null,
    total: null,
    rate: null,
    lag: null,
    ...n,
  });
  const nodes: FlowNode[] = [
    node({
      id: "source:http://127.0.0.1:8899/api/",
      kind: "source",
      name: "127.0.0.1:8899/api/",
      detail: "HTTP",
      rate: rateIn,
      total: total + 12,
    }),
    node({
      id: "dag:user_automation",
      kind: "dag",
      name: "user_automation",
      detail: "* * * * *",
      rate: rateIn,
      total,
    }),
    node({
      id: "topic:users_created",
      kind: "topic",
      name: "users_created",
      detail: "1 partition",
      rate: rateIn,
      total,
    }),
    node({
      id: "pipeline:users",
      kind: "pipeline",
      name: "users",
      state: failing ? "bad" : "ok",
      reason: failing ? why : null,
      rate: rateOut,
      total: out,
      lag,
    }),
    node({
      id: "table:spark_streams.created_users",
      kind: "table",
      name: "created_users",
      detail: "spark_streams",
      rate: rateOut,
      total: out,
      state: failing ? "idle" : "ok",
    }),
    node({
      id: "topic:users_created.dlq",
      kind: "dead_letters",
      name: "users_created.dlq",
      rate: 0,
      total: rejected(s),
      state: "idle",
    }),
    node({
      id: "pipeline:users_per_minute",
      kind: "pipeline",
      name: "users_per_minute",
      rate: minute === 0 ? 0 : 0.03,
      total: minute,
      lag: 0,
    }),
    node({
      id: "topic:users_per_minute",
      kind: "topic",
      name: "users_per_minute",
      detail: "1 partition",
      rate: 0.03,
      total: minute,
    }),
    node({
      id: "consumer:mailer",
      kind: "consumer",
      name: "mailer",
      detail: "1 member",
      rate: 12.1,
      total: 31_200,
      lag: 18_204,
      state: "warn",
      reason: "Reads 12.1/s while 19.6/s arrive: 18,204 records behind and growing.",
    }),
  ];
  const edge = (from: string, to: string, r: number | null, rest: Partial<FlowEdge> = {}): FlowEdge => ({
    from,
    to,
    rate: r,
    state: "ok",
    kind: "flow",
    ...rest,
  });
  const edges: FlowEdge[] = [
    edge("source:http://127.0.0.1:8899/api/", "dag:user_automation", rateIn),
    edge("dag:user_automation", "topic:users_created", rateIn),
    edge("topic:users_created", "pipeline:users", rateOut, failing ? { state: "bad" } : {}),
    edge("pipeline:users", "table:spark_streams.created_users", rateOut, failing ? { state: "bad" } : {}),
    edge("pipeline:users", "topic:users_created.dlq", 0, { kind: "dead_letters" }),
    edge("topic:users_created", "pipeline:users_per_minute", rateIn),
    edge("pipeline:users_per_minute", "topic:users_per_minute", 0.03),
    edge("topic:users_created", "consumer:mailer", 12.1, { state: "warn" }),
  ];
  const problems: Problem[] = [
    ...(failing
      ? [
          {
            severity: "bad" as const,
            subject: "pipeline:users",
            title: "Pipeline users stopped",
            reason: why,
          },
        ]
      : []),
    {
      severity: "warn",
      subject: "consumer:mailer",
      title: "Group mailer falls behind",
      reason: "Reads 12.1/s while 19.6/s arrive: 18,204 records behind and growing.",
    },
  ];
  return {
    at_ms: at,
    boxes: boxes(scenario),
    nodes,
    edges,
    totals: {
      records_in: total,
      rows_out: out,
      rejected: rejected(s),
      lag,
      rate_in: rateIn,
      rate_out: rateOut,
      rate_rejected: 0,
      latency_ms: failing ? null : { p50: 3.1 + Math.sin(s / 9) * 0.4, p99: 7.4 + Math.sin(s / 5) * 1.8 },
    },
    problems,
    topic_rates: { users_created: rateIn, "users_created.dlq": 0, users_per_minute: 0.03, orders: 3.7 },
  };
}

export function history(scenario: Scenario): { points: HistoryPoint[]; rates: Record<string, number[]> } {
  if (scenario === "empty") return { points: [], rates: {} };
  const now = Date.now();
  const failing = scenario === "failing" || scenario === "down";
  const points = Array.from({ length: 300 }, (_, i): HistoryPoint => {
    const at = now - (300 - i) * 1000;
    const s = seconds(at);
    const r = wave(s);
    const stopped = failing && 300 - i < STOPPED_S;
    return [
      at,
      r,
      stopped ? 0 : r - 0.2,
      s % 97 === 0 ? 1 : 0,
      stopped ? (STOPPED_S - 300 + i) * 20 : Math.max(0, Math.round(Math.sin(s / 11) * 2)),
      stopped ? null : 3.1 + Math.sin(s / 9) * 0.4,
      stopped ? null : 7.4 + Math.sin(s / 5) * 1.8 + ((s * 31) % 17 === 0 ? 6 : 0),
    ];
  });
  const recent = points.slice(-60).map((p) => p[1]);
  const outs = points.slice(-60).map((p) => p[2]);
  return {
    points,
    rates: {
      "source:http://127.0.0.1:8899/api/": recent,
      "dag:user_automation": recent,
      "topic:users_created": recent,
      "pipeline:users": outs,
      "table:spark_streams.created_users": outs,
      "consumer:mailer": recent.map((r) => r * 0.6),
    },
  };
}
