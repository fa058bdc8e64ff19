/** Line differences of two texts, by longest common subsequence. */

export interface DiffLine {
  kind: "same" | "added" | "removed";
  text: string;
  /** 1-based line in the old text, the new text. */
  old: number | null;
  new: number | null;
}

/** Above this many cells the table would cost too much: the texts are shown as replaced. */
const CELLS_MAX = 4_000_000;

export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  if (a.length * b.length > CELLS_MAX) {
    return [
      ...a.map((text, i): DiffLine => ({ kind: "removed", text, old: i + 1, new: null })),
      ...b.map((text, i): DiffLine => ({ kind: "added", text, old: null, new: i + 1 })),
    ];
  }
  const width = b.length + 1;
  // common[i][j]: length of the longest common subsequence of a[i..] and b[j..].
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] =
        a[i] === b[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i]!, old: ++i, new: ++j });
    } else if (
      j >= b.length ||
      (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      lines.push({ kind: "removed", text: a[i]!, old: ++i, new: null });
    } else {
      lines.push({ kind: "added", text: b[j]!, old: null, new: ++j });
    }
  }
  return lines;
}
