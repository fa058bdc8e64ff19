import { useSyncExternalStore } from "react";
import type { History, HistoryPoint, Snapshot } from "./types";

/**
 * The console's one event stream, shared by all pages: what moves, once a second. A lost connection
 * keeps the last values on the screen and says so.
 */

export type LinkState = "connecting" | "live" | "lost" | "paused";

export interface Live {
  link: LinkState;
  snapshot: Snapshot | null;
  points: HistoryPoint[];
  /** Node id → its last rates, oldest first. */
  rates: Record<string, number[]>;
}

/** A quarter of an hour at one point a second. */
const POINTS_MAX = 900;
const RATES_MAX = 60;
const RETRY_MS = 1000;

let state: Live = { link: "connecting", snapshot: null, points: [], rates: {} };
let source: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | null = null;
const listeners = new Set<() => void>();

function update(next: Partial<Live>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

function onSnapshot(snapshot: Snapshot): void {
  const t = snapshot.totals;
  const point: HistoryPoint = [
    snapshot.at_ms,
    t.rate_in,
    t.rate_out,
    t.rate_rejected,
    t.lag,
    t.latency_ms?.p50 ?? null,
    t.latency_ms?.p99 ?? null,
  ];
  const rates: Record<string, number[]> = {};
  for (const node of snapshot.nodes) {
    if (node.rate !== null) rates[node.id] = [...(state.rates[node.id] ?? []), node.rate].slice(-RATES_MAX);
  }
  update({ link: "live", snapshot, points: [...state.points, point].slice(-POINTS_MAX), rates });
}

function open(): void {
  source = new EventSource("/api/v1/events");
  source.addEventListener("history", (event) => {
    const history = JSON.parse(event.data) as History;
    update({ points: history.points, rates: history.rates });
  });
  source.addEventListener("snapshot", (event) => onSnapshot(JSON.parse(event.data) as Snapshot));
  source.onerror = () => {
    close();
    update({ link: "lost" });
    retry = setTimeout(open, RETRY_MS);
  };
}

function close(): void {
  source?.close();
  source = null;
  if (retry) clearTimeout(retry);
  retry = null;
}

/** Opens the stream; called once by the layout. */
export function connect(): () => void {
  open();
  return close;
}

export function setPaused(paused: boolean): void {
  close();
  if (paused) update({ link: "paused" });
  else {
    update({ link: "connecting" });
    open();
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A part of the live state. The selector must return the same object while nothing changed. */
export function useLive<T>(select: (live: Live) => T): T {
  return useSyncExternalStore(subscribe, () => select(state));
}
