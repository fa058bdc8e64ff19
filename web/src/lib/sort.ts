/** Orders a copy of the rows; numbers by size, text by code unit, what is missing last. */
export function sorted<Row>(
  rows: Row[],
  value: (row: Row) => string | number | null | undefined,
  down: boolean,
): Row[] {
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const x = value(a);
    const y = value(b);
    if (x == null || y == null) return x == null ? (y == null ? 0 : 1) : -1;
    return x < y ? -sign : x > y ? sign : 0;
  });
}

/** Whether every word of the query is somewhere in the text, in any case. */
export function matches(text: string, query: string): boolean {
  const lower = text.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}
