import { describe, expect, test } from "vitest";
import type { FlowEdge, FlowNode } from "@/api/types";
import { conf, defaults, fieldsOf } from "./dags/params";
import { runName, span } from "./dags/states";
import { asList, place } from "./flow/layout";
import { meaning } from "./topics/config-meaning";
import { parseSeek, showSeek } from "./topics/seek";

describe("where reading starts", () => {
  test.each(["latest", "earliest", "offset:12", "timestamp:1700000000000"])("%s reads back", (text) =>
    expect(showSeek(parseSeek(text))).toBe(text),
  );
  test.each([undefined, "", "offset:-1", "offset:x", "page:2"])("%s reads the newest", (text) =>
    expect(parseSeek(text)).toEqual({ at: "latest" }),
  );
});

test.each([
  ["retention.ms", "604800000", "7 d"],
  ["segment.bytes", "1073741824", "1 GiB"],
  ["retention.bytes", "-1", "no limit"],
  ["flush.ms", "9223372036854775807", "no limit"],
  ["cleanup.policy", "delete", ""],
  ["x.ms", null, ""],
])("%s=%s means %s", (name, value, text) => expect(meaning({ name, value })).toBe(text));

describe("a DAG's parameters", () => {
  const fields = fieldsOf({
    rate: 20,
    url: { value: "http://x", description: "where" },
    on: true,
    list: [1],
  });
  test("become fields of their kinds", () => {
    expect(fields.map((f) => f.kind)).toEqual(["number", "string", "boolean", "json"]);
    expect(fields[1]).toMatchObject({ value: "http://x", description: "where" });
  });
  test("go back as they were", () => {
    expect(conf(fields, defaults(fields), null)).toEqual({
      ok: true,
      value: { rate: 20, url: "http://x", on: true, list: [1] },
    });
  });
  test("are refused by name when they do not fit", () => {
    expect(conf(fields, { ...defaults(fields), rate: "fast" }, null)).toEqual({
      ok: false,
      error: "rate must be a number",
    });
    expect(conf(fields, {}, "[1]")).toEqual({ ok: false, error: "conf must be a JSON object" });
    expect(conf(fields, {}, "")).toEqual({ ok: true, value: {} });
  });
});

test("what still runs took the time until now", () => {
  expect(span("2026-01-01T00:00:00Z", null, Date.parse("2026-01-01T00:00:05Z"))).toBe(5000);
  expect(span(null, null, 0)).toBeNull();
});

test("a run is called by its time, in any spelling", () => {
  const local = runName("scheduled__2026-11-22T14:00:00+00:00");
  expect(local).toMatch(/^2026-11-2\d \d\d:00:00$/);
  expect(runName("manual__2026-11-22T14:00:00.267309+00:00_ezf6j4gl")).toBe(local);
  expect(runName("my-own-name")).toBe("my-own-name");
});

const node = (id: string, kind: FlowNode["kind"]): FlowNode => ({
  id,
  kind,
  name: id,
  state: "ok",
  reason: null,
  detail: null,
  total: null,
  rate: null,
  lag: null,
});
const edge = (from: string, to: string, kind: FlowEdge["kind"] = "flow"): FlowEdge => ({
  from,
  to,
  rate: null,
  state: "ok",
  kind,
});

describe("the map", () => {
  const nodes = [
    node("dlq", "dead_letters"),
    node("count", "pipeline"),
    node("topic", "topic"),
    node("users", "pipeline"),
    node("table", "table"),
  ];
  const edges = [
    edge("users", "dlq", "dead_letters"),
    edge("topic", "count"),
    edge("topic", "users"),
    edge("users", "table"),
  ];
  test("keeps the line to a table straight", () => {
    const placed = place(nodes, edges);
    const middle = (id: string) => placed.get(id)!.y + placed.get(id)!.height / 2;
    expect(middle("users")).toBe(middle("topic"));
    expect(middle("table")).toBe(middle("topic"));
    expect(middle("dlq")).toBeGreaterThan(middle("table"));
  });
  test("as a list follows the line first and names where branches come from", () => {
    const steps = asList(nodes, edges);
    expect(steps.map((s) => s.node.id)).toEqual(["topic", "users", "table", "dlq", "count"]);
    expect(steps.map((s) => s.follows)).toEqual([false, true, true, false, false]);
  });
  test("survives a circle", () => {
    const circle = [edge("topic", "users"), edge("users", "topic")];
    expect(asList(nodes, circle)).toHaveLength(nodes.length);
    expect(place(nodes, circle).size).toBe(nodes.length);
  });
});
