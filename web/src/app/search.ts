/** Readers of the address's query string: what does not fit is left out, never an error page. */

type Raw = Record<string, unknown>;

export const text = (raw: Raw, name: string): string | undefined => {
  const value = raw[name];
  return typeof value === "string" && value !== ""
    ? value
    : typeof value === "number"
      ? String(value)
      : undefined;
};

export const whole = (raw: Raw, name: string): number | undefined => {
  const value = Number(raw[name]);
  return raw[name] !== undefined && raw[name] !== "" && Number.isSafeInteger(value) && value >= 0
    ? value
    : undefined;
};

export const flag = (raw: Raw, name: string): true | undefined =>
  raw[name] === true || raw[name] === "true" ? true : undefined;

export const oneOf = <T extends string>(raw: Raw, name: string, values: readonly T[]): T | undefined =>
  values.find((v) => v === raw[name]);

/** Drops what is undefined, so that the address stays short. */
export function tidy<T extends Raw>(search: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
