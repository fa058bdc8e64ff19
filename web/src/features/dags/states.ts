import { dateTime } from "@/lib/format";
import { toneOf } from "@/ui/badge";

/** Fill of a square or bar for a run's or a task's state. */
export const FILL: Record<ReturnType<typeof toneOf>, string> = {
  ok: "bg-ok-mark",
  warn: "bg-warn-mark",
  bad: "bg-bad-mark",
  run: "bg-run-mark",
  brand: "bg-brand",
  violet: "bg-violet",
  idle: "bg-idle-mark",
};

export const fillOf = (state: string | null | undefined) => FILL[toneOf(state)];

/** Milliseconds between two times of Airflow's; an open end is now. */
export function span(
  start: string | null | undefined,
  end: string | null | undefined,
  now: number,
): number | null {
  if (!start) return null;
  return Math.max(0, (end ? Date.parse(end) : now) - Date.parse(start));
}

/** `scheduled__2026-11-22T14:00:00+00:00` → `2026-11-22 14:00:00` in local time; others as they are. */
export function runName(id: string): string {
  const at = /__(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)/.exec(id)?.[1];
  return at && !Number.isNaN(Date.parse(at)) ? dateTime(at) : id;
}
