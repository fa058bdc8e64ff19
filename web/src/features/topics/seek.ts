/** Where reading starts, as the address and the API write it. */
export type Seek =
  | { at: "latest" }
  | { at: "earliest" }
  | { at: "offset"; offset: number }
  | { at: "timestamp"; ms: number };

/** `latest`, `earliest`, `offset:12`, `timestamp:1700000000000`; anything else reads the newest. */
export function parseSeek(text: string | undefined): Seek {
  if (text === "earliest") return { at: "earliest" };
  const [kind, rest] = (text ?? "").split(":");
  const value = Number(rest);
  if (rest && Number.isSafeInteger(value) && value >= 0) {
    if (kind === "offset") return { at: "offset", offset: value };
    if (kind === "timestamp") return { at: "timestamp", ms: value };
  }
  return { at: "latest" };
}

export function showSeek(seek: Seek): string {
  switch (seek.at) {
    case "offset":
      return `offset:${seek.offset}`;
    case "timestamp":
      return `timestamp:${seek.ms}`;
    default:
      return seek.at;
  }
}
