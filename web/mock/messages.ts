import type { IncomingMessage, ServerResponse } from "node:http";
import type { ScanLine } from "../src/api/types";
import { message, produced, rejected, seconds } from "./world.ts";

export function endOf(topic: string, partition: number): number {
  const s = seconds();
  if (topic === "users_created") return produced(s);
  if (topic === "users_created.dlq") return rejected(s);
  if (topic === "users_per_minute") return Math.floor(s / 60) * 2;
  if (topic === "orders") return Math.floor((s * 3.7 + partition) / 3);
  return 0;
}

const partitionsOf = (topic: string) => (topic === "orders" ? 3 : 1);

/** A bounded scan, one JSON value per line. */
export function browse(topic: string, params: URLSearchParams, response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "application/x-ndjson" });
  const say = (line: ScanLine) => response.write(`${JSON.stringify(line)}\n`);
  const limit = Number(params.get("limit") ?? 100);
  const filter = (params.get("filter") ?? "").toLowerCase();
  const only = params.get("partition");
  const partitions = Array.from({ length: partitionsOf(topic) }, (_, i) => i).filter(
    (p) => only === null || Number(only) === p,
  );
  const from = params.get("from") ?? "latest";
  const each = Math.ceil(limit / partitions.length);
  let matched = 0;
  let scanned = 0;
  const found = partitions.flatMap((p) => {
    const end = endOf(topic, p);
    const start =
      from === "earliest"
        ? 0
        : from.startsWith("offset:")
          ? Number(from.slice(7))
          : from.startsWith("timestamp:")
            ? 0
            : Math.max(0, end - (filter ? end : each));
    const hits = [];
    for (let o = start; o < end && hits.length < (from === "latest" ? 1e6 : each); o++) {
      const m = message(topic, p, o);
      scanned++;
      if (!filter || m.value.text.toLowerCase().includes(filter)) hits.push(m);
    }
    return hits.slice(from === "latest" ? -each : 0, from === "latest" ? undefined : each);
  });
  found.sort((a, b) =>
    from === "latest" ? b.timestamp_ms - a.timestamp_ms : a.timestamp_ms - b.timestamp_ms,
  );
  for (const m of found) {
    matched++;
    say(m);
  }
  say({ type: "end", scanned, matched, reason: "limit", error: null });
  response.end();
}

export function tail(
  topic: string,
  params: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const filter = (params.get("filter") ?? "").toLowerCase();
  const at = Array.from({ length: partitionsOf(topic) }, (_, p) => endOf(topic, p));
  response.write(": open\n\n");
  const timer = setInterval(() => {
    for (let p = 0; p < at.length; p++) {
      for (const end = endOf(topic, p); at[p]! < end; at[p]!++) {
        const m = message(topic, p, at[p]!);
        if (filter && !m.value.text.toLowerCase().includes(filter)) continue;
        response.write(`event: record\ndata: ${JSON.stringify({ ...m, timestamp_ms: Date.now() })}\n\n`);
      }
    }
  }, 250);
  request.on("close", () => clearInterval(timer));
}
