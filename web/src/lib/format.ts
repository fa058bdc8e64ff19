/** Numbers, sizes and times as people read them. Pure; no locale surprises in tests. */

const GROUPED = new Intl.NumberFormat("en-GB");

/** `1234567` → `1,234,567`. */
export function count(n: number | null | undefined): string {
  return n == null ? "–" : GROUPED.format(Math.round(n));
}

/** `1234567` → `1.23M`; below 10,000 all digits are shown. */
export function compact(n: number | null | undefined): string {
  if (n == null) return "–";
  const size = Math.abs(n);
  if (size < 10_000) return count(n);
  for (const [unit, symbol] of [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (size >= unit) {
      const scaled = n / unit;
      return `${scaled.toFixed(Math.abs(scaled) < 10 ? 2 : Math.abs(scaled) < 100 ? 1 : 0)}${symbol}`;
    }
  }
  return count(n);
}

/** Records per second: `0`, `0.4`, `19.8`, `1,204`, `12.3k`. */
export function rate(perSecond: number | null | undefined): string {
  if (perSecond == null) return "–";
  if (perSecond <= 0) return "0";
  if (perSecond < 0.05) return "<0.1";
  if (perSecond < 99.95) return trimZero(perSecond.toFixed(1));
  return compact(perSecond);
}

function trimZero(text: string): string {
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}

/** Powers of 1024: `512 B`, `1.5 KiB`, `64 MiB`. */
export function bytes(n: number | null | undefined): string {
  if (n == null) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  let size = n;
  while (size >= 1024 && at < units.length - 1) {
    size /= 1024;
    at += 1;
  }
  return `${at === 0 ? size : trimZero(size.toFixed(size < 10 ? 1 : 0))} ${units[at]}`;
}

/** A length of time: `0.4 ms`, `12 ms`, `1.2 s`, `3 m 12 s`, `2 h 5 m`, `4 d 3 h`. */
export function duration(ms: number | null | undefined): string {
  if (ms == null || Number.isNaN(ms)) return "–";
  if (ms < 1) return ms <= 0 ? "0 ms" : `${ms.toFixed(1)} ms`;
  if (ms < 10) return `${trimZero(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${trimZero((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "m", seconds % 60, "s");
  if (seconds < 86_400) return pair(Math.floor(seconds / 3600), "h", Math.floor((seconds % 3600) / 60), "m");
  return pair(Math.floor(seconds / 86_400), "d", Math.floor((seconds % 86_400) / 3600), "h");
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** `now`, `12 s ago`, `in 3 m`; whole units only. */
export function ago(at: number, now: number): string {
  const delta = now - at;
  if (Math.abs(delta) < 1500) return "now";
  const text = wholeUnit(Math.abs(delta));
  return delta > 0 ? `${text} ago` : `in ${text}`;
}

function wholeUnit(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

const two = (n: number) => String(n).padStart(2, "0");

/** Local wall time to the millisecond: `14:03:22.118`. */
export function clock(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

/** Local date and time: `2026-11-22 14:03:22`. */
export function dateTime(at: number | string | null | undefined): string {
  if (at == null) return "–";
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return String(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** `1 topic`, `3 topics`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** For `<input type="datetime-local">`: local time to the second. */
export function toLocalInput(ms: number): string {
  return dateTime(ms).replace(" ", "T");
}
