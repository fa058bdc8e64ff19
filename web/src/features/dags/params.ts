/** A DAG's parameters as fields of a form, and back to the run's `conf`. */

export interface Field {
  name: string;
  kind: "string" | "number" | "boolean" | "json";
  value: unknown;
  description: string | null;
}

/** Airflow wraps a parameter as `{value, schema, description}`; others give the value itself. */
export function fieldsOf(params: Record<string, unknown>): Field[] {
  return Object.entries(params).map(([name, raw]) => {
    const wrapped =
      raw !== null && typeof raw === "object" && !Array.isArray(raw) && ("value" in raw || "__class" in raw);
    const { value, description } = wrapped
      ? (raw as { value?: unknown; description?: string | null })
      : { value: raw, description: null };
    return { name, kind: kindOf(value), value, description: description ?? null };
  });
}

function kindOf(value: unknown): Field["kind"] {
  switch (typeof value) {
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "string":
      return "string";
    default:
      return "json";
  }
}

export function defaults(fields: Field[]): Record<string, string> {
  return Object.fromEntries(
    fields.map((f) => [f.name, f.kind === "json" ? JSON.stringify(f.value ?? null) : String(f.value)]),
  );
}

type Conf = { ok: true; value: Record<string, unknown> } | { ok: false; error: string };

/** What the form says, or why it cannot be sent. `json` wins over the fields where it is not `null`. */
export function conf(fields: Field[], values: Record<string, string>, json: string | null): Conf {
  if (json !== null) {
    try {
      const value: unknown = JSON.parse(json.trim() || "{}");
      if (value === null || typeof value !== "object" || Array.isArray(value))
        return { ok: false, error: "conf must be a JSON object" };
      return { ok: true, value: value as Record<string, unknown> };
    } catch (error) {
      return { ok: false, error: `conf is not JSON: ${(error as Error).message}` };
    }
  }
  const value: Record<string, unknown> = {};
  for (const field of fields) {
    const text = values[field.name] ?? "";
    if (field.kind === "string") value[field.name] = text;
    else if (field.kind === "boolean") value[field.name] = text === "true";
    else if (field.kind === "number") {
      if (text.trim() === "" || !Number.isFinite(Number(text)))
        return { ok: false, error: `${field.name} must be a number` };
      value[field.name] = Number(text);
    } else {
      try {
        value[field.name] = JSON.parse(text);
      } catch {
        return { ok: false, error: `${field.name} must be JSON` };
      }
    }
  }
  return { ok: true, value };
}
