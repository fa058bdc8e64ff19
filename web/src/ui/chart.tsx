import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock } from "@/lib/format";

export interface Series {
  label: string;
  /** Name of a colour token: `series-1`. */
  colour: string;
  values: (number | null)[];
  fill?: boolean;
}

/** Lines over time; the pointer reads values. Times in milliseconds. */
export function TimeChart({
  label,
  times,
  series,
  format,
  height = 160,
}: {
  label: string;
  times: number[];
  series: Series[];
  format: (value: number) => string;
  height?: number;
}) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const [at, setAt] = useState<number | null>(null);
  const shape = series.map((s) => `${s.label}:${s.colour}`).join("|");

  // biome-ignore lint/correctness/useExhaustiveDependencies: data goes in by the effect below.
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const chart = new uPlot(options(series, format, element.clientWidth, height, setAt), [[]], element);
    plot.current = chart;
    const resize = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [shape, height, theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new chart needs its data too.
  useEffect(() => {
    plot.current?.setData([times.map((t) => t / 1000), ...series.map((s) => s.values)] as uPlot.AlignedData);
  }, [times, series, shape, theme]);

  const shown = at !== null && at < times.length ? at : times.length - 1;
  return (
    <figure aria-label={label} className="flex min-w-0 flex-col">
      <figcaption className="flex flex-wrap gap-x-4 gap-y-1 px-4 pb-1 text-xs text-soft">
        {series.map((s) => {
          const value = s.values[shown];
          return (
            <span key={s.label} className="inline-flex items-center gap-1.5">
              <span aria-hidden className="h-0.5 w-3 rounded" style={{ background: `var(--${s.colour})` }} />
              {s.label}
              <span className="font-medium text-ink">{value == null ? "–" : format(value)}</span>
            </span>
          );
        })}
      </figcaption>
      <div className="relative">
        <div ref={host} className="w-full overflow-hidden" style={{ height }} />
        {!series.some((s) => s.values.some((v) => v !== null)) && (
          <p className="absolute inset-0 flex items-center justify-center bg-panel text-xs text-faint">
            Nothing measured yet
          </p>
        )}
      </div>
    </figure>
  );
}

function options(
  series: Series[],
  format: (value: number) => string,
  width: number,
  height: number,
  setAt: (index: number | null) => void,
): uPlot.Options {
  const colour = (name: string) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour("ink-faint"),
    font: '11px "Inter Variable", sans-serif',
    ticks: { show: false },
  };
  return {
    width,
    height,
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, min, max) => [Math.min(0, min ?? 0), niceTop(max)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 72,
        incrs: [1, 5, 10, 15, 30, 60, 120, 300, 600, 900],
        values: (_, ticks, __, ___, step) => ticks.map((t) => clock(t * 1000).slice(0, step < 60 ? 8 : 5)),
      },
      {
        ...axis,
        size: 52,
        space: 32,
        grid: { stroke: colour("line"), width: 1 },
        values: (_, ticks) => ticks.map(format),
      },
    ],
    series: [
      {},
      ...series.map(
        (s): uPlot.Series => ({
          label: s.label,
          stroke: colour(s.colour),
          width: 1.75,
          points: { show: false },
          ...(s.fill ? { fill: alpha(colour(s.colour), 0.12) } : {}),
        }),
      ),
    ],
    hooks: { setCursor: [(u) => setAt(u.cursor.idx ?? null)] },
  };
}

function alpha(colour: string, a: number): string {
  return colour.replace(/\)$/, ` / ${a})`);
}

/** A little room above the highest value; never an empty scale. */
function niceTop(max: number | null): number {
  return max == null || max <= 0 ? 1 : max * 1.15;
}

/** Changes when the page's theme changes, because a canvas does not follow CSS. */
function useTheme(): string {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "light");
  useEffect(() => {
    const watch = new MutationObserver(() => setTheme(document.documentElement.dataset.theme ?? "light"));
    watch.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => watch.disconnect();
  }, []);
  return theme;
}
