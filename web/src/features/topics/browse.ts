import { useEffect, useRef, useState } from "react";
import { query, seg, stream } from "@/api/client";
import type { Message, ScanEnd, ScanLine, ScanProgress } from "@/api/types";

/** Rows kept in the page; older ones make room. */
export const ROWS_MAX = 2000;
export const PAGE = 200;

export interface BrowseRequest {
  topic: string;
  from: string;
  partition: number | undefined;
  filter: string;
  /** Changes when the same question is asked again. */
  round: number;
  limit: number;
}

export interface Browsed {
  messages: Message[];
  progress: ScanProgress | null;
  end: ScanEnd | null;
  error: unknown;
}

const START: Browsed = { messages: [], progress: null, end: null, error: null };

/** Reads a bounded part of a topic; rows show as they come. */
export function useBrowse(request: BrowseRequest | null): Browsed & { cancel: () => void } {
  const [state, setState] = useState<Browsed>(START);
  const abort = useRef<AbortController | null>(null);
  const key = JSON.stringify(request);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for the request.
  useEffect(() => {
    if (!request) return;
    const control = new AbortController();
    abort.current = control;
    setState((old) => ({ ...START, messages: old.messages }));
    void read(request, control.signal, setState);
    return () => control.abort();
  }, [key]);
  return { ...state, cancel: () => abort.current?.abort() };
}

async function read(
  request: BrowseRequest,
  signal: AbortSignal,
  setState: (next: Browsed) => void,
): Promise<void> {
  const { topic, from, partition, filter, limit } = request;
  const messages: Message[] = [];
  let progress: ScanProgress | null = null;
  let painted = 0;
  try {
    const path = `/topics/${seg(topic)}/messages${query({ from, partition, filter, limit })}`;
    for await (const line of stream<ScanLine>(path, signal)) {
      if (line.type === "record") messages.push(line);
      else if (line.type === "progress") progress = line;
      else {
        setState({ messages: ordered(messages, from), progress, end: line, error: line.error });
        return;
      }
      // A frame's worth of rows at once: thousands of single updates would block the page.
      if (performance.now() - painted > 80) {
        painted = performance.now();
        setState({ messages: ordered(messages, from), progress, end: null, error: null });
      }
    }
    setState({ messages: ordered(messages, from), progress, end: null, error: "the answer ended early" });
  } catch (error) {
    if (!signal.aborted) setState({ messages, progress, end: null, error });
  }
}

/** Newest first when the newest were asked for; else as they lie in the log, partitions merged by time. */
function ordered(messages: Message[], from: string): Message[] {
  const sign = from === "latest" ? -1 : 1;
  return [...messages].sort(
    (a, b) => sign * (a.timestamp_ms - b.timestamp_ms || a.partition - b.partition || a.offset - b.offset),
  );
}

export interface Tailed {
  messages: Message[];
  seen: number;
  dropped: number;
  error: string | null;
}

const QUIET: Tailed = { messages: [], seen: 0, dropped: 0, error: null };

/** Follows a topic: newest first, a bounded number kept. */
export function useTail(topic: string, partition: number | undefined, filter: string, on: boolean): Tailed {
  const [state, setState] = useState<Tailed>(QUIET);
  useEffect(() => {
    if (!on) return;
    setState(QUIET);
    let waiting: Message[] = [];
    let dropped = 0;
    const source = new EventSource(`/api/v1/topics/${seg(topic)}/tail${query({ partition, filter })}`);
    source.addEventListener("record", (event) => waiting.push(JSON.parse(event.data) as Message));
    source.addEventListener("dropped", (event) => {
      dropped += Number(event.data);
    });
    source.addEventListener("failed", (event) => setState((old) => ({ ...old, error: event.data })));
    source.onerror = () => setState((old) => ({ ...old, error: old.error ?? "reconnecting" }));
    source.onopen = () => setState((old) => ({ ...old, error: null }));
    const paint = setInterval(() => {
      if (waiting.length === 0) return;
      const fresh = waiting.reverse();
      waiting = [];
      setState((old) => ({
        ...old,
        seen: old.seen + fresh.length,
        dropped,
        messages: [...fresh, ...old.messages].slice(0, ROWS_MAX),
      }));
    }, 120);
    return () => {
      clearInterval(paint);
      source.close();
    };
  }, [topic, partition, filter, on]);
  return state;
}
