import { readLines } from "@/lib/ndjson";
import type { ApiFailure, BoxName } from "./types";

/** Why the console could not answer, in words fit for the page. */
export class ApiError extends Error {
  readonly status: number;
  readonly part: BoxName;
  readonly hint: string | null;

  constructor(status: number, part: BoxName, message: string, hint: string | null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.part = part;
    this.hint = hint;
  }
}

async function failure(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as ApiFailure | null;
  if (body?.error?.message) {
    return new ApiError(response.status, body.error.part, body.error.message, body.error.hint);
  }
  return new ApiError(
    response.status,
    "console",
    `the console answered ${response.status} ${response.statusText}`,
    null,
  );
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "console", "the console does not answer", "Is `tidemill up` still running?");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send(path, signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function put<T>(
  method: "POST" | "PATCH" | "PUT" | "DELETE",
  path: string,
  body: unknown,
): Promise<T> {
  const response = await send(path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

/** An answer of one JSON value per line, read as it comes. */
export async function* stream<T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
  const response = await send(path, { signal });
  if (response.body) yield* readLines<T>(response.body);
}

/** A path segment. */
export const seg = encodeURIComponent;

/** `?a=1&b=2`, without what is empty. */
export function query(params: Record<string, string | number | boolean | null | undefined>): string {
  const entries = Object.entries(params).filter(([, v]) => v !== undefined && v !== null && v !== "");
  return entries.length === 0 ? "" : `?${new URLSearchParams(entries.map(([k, v]) => [k, String(v)]))}`;
}
