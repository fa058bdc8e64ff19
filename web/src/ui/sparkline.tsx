/** The last values as a line; no axis, decoration beside a number that says the same. */
export function Sparkline({
  values,
  width = 72,
  height = 20,
  colour = "var(--series-1)",
}: {
  values: number[];
  width?: number;
  height?: number;
  colour?: string;
}) {
  if (values.length < 2) return <svg aria-hidden="true" width={width} height={height} />;
  const top = Math.max(...values, 1e-9);
  const x = (i: number) => (i / (values.length - 1)) * (width - 2) + 1;
  const y = (v: number) => height - 1.5 - (v / top) * (height - 4);
  const line = values.map((v, i) => `${i === 0 ? "M" : "L"}${x(i).toFixed(1)},${y(v).toFixed(1)}`).join("");
  return (
    <svg
      aria-hidden="true"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      className="block overflow-visible"
    >
      <path d={`${line}L${x(values.length - 1)},${height}L${x(0)},${height}Z`} fill={colour} opacity={0.12} />
      <path
        d={line}
        fill="none"
        stroke={colour}
        strokeWidth={1.5}
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  );
}
