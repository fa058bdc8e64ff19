import type { TopicConfig } from "@/api/types";
import { bytes, duration } from "@/lib/format";

/** A large number in a unit that people read. */
export function meaning({ name, value }: Pick<TopicConfig, "name" | "value">): string {
  const n = Number(value);
  if (value === null || value === "" || !Number.isFinite(n)) return "";
  if (n === -1 || n >= 9.2e18) return "no limit";
  if (name.endsWith(".ms")) return duration(n);
  if (name.endsWith("bytes")) return bytes(n);
  return "";
}
