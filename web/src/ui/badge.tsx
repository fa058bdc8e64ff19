import type { ReactNode } from "react";
import { cx } from "@/lib/cx";

export type Tone = "ok" | "warn" | "bad" | "run" | "idle" | "brand" | "violet";

const soft: Record<Tone, string> = {
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  run: "bg-run-soft text-run",
  brand: "bg-brand-soft text-brand-strong",
  violet: "bg-violet-soft text-violet",
  idle: "bg-sunken text-soft",
};

export const mark: Record<Tone, string> = {
  ok: "bg-ok-mark",
  warn: "bg-warn-mark",
  bad: "bg-bad-mark",
  run: "bg-run-mark",
  brand: "bg-brand",
  violet: "bg-violet",
  idle: "bg-idle-mark",
};

export function Badge({
  tone = "idle",
  children,
  title,
}: {
  tone?: Tone;
  children: ReactNode;
  title?: string;
}) {
  return (
    <span
      title={title}
      className={cx(
        "inline-flex h-5 items-center gap-1 rounded-sm px-1.5 text-2xs font-medium whitespace-nowrap",
        soft[tone],
      )}
    >
      {children}
    </span>
  );
}

export function Dot({ tone, pulse, className }: { tone: Tone; pulse?: boolean; className?: string }) {
  return (
    <span
      aria-hidden
      className={cx("inline-block size-2 shrink-0 rounded-full", mark[tone], pulse && "pulse", className)}
    />
  );
}

/** A state as a word with its colour; never the colour alone. */
export function State({ state, tone }: { state: string; tone?: Tone }) {
  const shown = tone ?? toneOf(state);
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Dot tone={shown} pulse={shown === "run"} />
      <span>{state.toLowerCase().replaceAll("_", " ")}</span>
    </span>
  );
}

const TONES: Record<string, Tone> = {
  up: "ok",
  ok: "ok",
  success: "ok",
  stable: "ok",
  finished: "ok",
  running: "run",
  restarting: "warn",
  queued: "idle",
  scheduled: "idle",
  deferred: "violet",
  up_for_retry: "warn",
  up_for_reschedule: "warn",
  upstream_failed: "warn",
  preparingrebalance: "warn",
  completingrebalance: "warn",
  warn: "warn",
  failed: "bad",
  failing: "bad",
  down: "bad",
  dead: "bad",
  bad: "bad",
  canceled: "idle",
  skipped: "idle",
  empty: "idle",
  idle: "idle",
};

/** The colour of a state's name, in any of the systems' spellings. */
export function toneOf(state: string | null | undefined): Tone {
  return TONES[(state ?? "idle").toLowerCase()] ?? "idle";
}
