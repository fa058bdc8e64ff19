import { useMemo, useState } from "react";
import type { HistoryPoint } from "@/api/types";
import { duration, rate } from "@/lib/format";
import { Segmented } from "@/ui/button";
import { TimeChart } from "@/ui/chart";
import { Panel } from "@/ui/page";

const column = (points: HistoryPoint[], i: number) => points.map((p) => p[i] as number | null);

/** Throughput and latency of the last minutes. */
export function Charts({ points }: { points: HistoryPoint[] }) {
  const [minutes, setMinutes] = useState<"1" | "5" | "15">("5");
  const shown = useMemo(() => points.slice(-60 * Number(minutes)), [points, minutes]);
  const times = useMemo(() => shown.map((p) => p[0]), [shown]);
  const span = (
    <Segmented
      label="Time shown"
      value={minutes}
      onChange={setMinutes}
      options={[
        { value: "1", label: "1 m" },
        { value: "5", label: "5 m" },
        { value: "15", label: "15 m" },
      ]}
    />
  );
  return (
    <>
      <Panel title="Throughput" actions={span} flush>
        <TimeChart
          label="Records in and rows out per second"
          times={times}
          height={196}
          format={(v) => `${rate(v)}/s`}
          series={[
            { label: "Records in", colour: "series-1", values: column(shown, 1), fill: true },
            { label: "Rows out", colour: "series-2", values: column(shown, 2) },
          ]}
        />
      </Panel>
      <Panel title="Latency, produced to readable" actions={<span className="h-8" />} flush>
        <TimeChart
          label="Latency from produced to readable"
          times={times}
          height={196}
          format={duration}
          series={[
            { label: "p50", colour: "series-1", values: column(shown, 5) },
            { label: "p99", colour: "series-3", values: column(shown, 6), fill: true },
          ]}
        />
      </Panel>
    </>
  );
}
