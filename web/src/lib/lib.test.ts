import { describe, expect, test } from "vitest";
import { scheduleText } from "./cron";
import { diffLines } from "./diff";
import { tokenize } from "./highlight";
import { readLines } from "./ndjson";
import { matches, sorted } from "./sort";

describe("diffLines", () => {
  test("keeps what is common and names what came and went", () => {
    const lines = diffLines("a\nb\nc", "a\nx\nc\nd");
    expect(lines.map((l) => `${{ same: " ", added: "+", removed: "-" }[l.kind]}${l.text}`)).toEqual([
      " a",
      "-b",
      "+x",
      " c",
      "+d",
    ]);
    expect(lines.at(-1)).toMatchObject({ old: null, new: 4 });
  });
  test("of equal texts is all the same", () => {
    expect(diffLines("x\ny", "x\ny").every((l) => l.kind === "same")).toBe(true);
  });
});

describe("tokenize", () => {
  test("loses no character, whatever the text", () => {
    for (const text of ["", "'unclosed", "SELECT * FROM t -- end", '{"a": [1, "b', "\\ \u0000 é"]) {
      for (const language of ["sql", "json", "yaml", "python", "text"] as const) {
        expect(
          tokenize(text, language)
            .map((t) => t.text)
            .join(""),
        ).toBe(text);
      }
    }
  });
  test("tells keywords from names", () => {
    const kinds = tokenize("select selected", "sql").map((t) => [t.kind, t.text]);
    expect(kinds).toEqual([
      ["keyword", "select"],
      ["plain", " selected"],
    ]);
  });
});

describe("readLines", () => {
  const body = (...chunks: string[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
  const all = async (stream: ReadableStream<Uint8Array>) => {
    const values: unknown[] = [];
    for await (const value of readLines(stream)) values.push(value);
    return values;
  };
  test("joins lines that come in pieces", async () => {
    expect(await all(body('{"a":1}\n{"b"', ':2}\n\n{"c":3}'))).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
  });
});

describe("lists", () => {
  test("sort puts what is missing last, both ways", () => {
    const rows = [{ n: 2 }, { n: null }, { n: 1 }];
    expect(sorted(rows, (r) => r.n, false).map((r) => r.n)).toEqual([1, 2, null]);
    expect(sorted(rows, (r) => r.n, true).map((r) => r.n)).toEqual([2, 1, null]);
  });
  test("a filter wants every word, in any case", () => {
    expect(matches("users_created mailer", "USERS mail")).toBe(true);
    expect(matches("users_created", "users orders")).toBe(false);
  });
});

test.each([
  ["* * * * *", "every minute"],
  ["*/5 * * * *", "every 5 minutes"],
  ["0 * * * *", "every hour"],
  ["7 * * * *", "every hour at :07"],
  ["0 */6 * * *", "every 6 hours"],
  ["0 3 * * *", "daily at 03:00"],
  ["@daily", "every day"],
  ["0 3 * * 1", "0 3 * * 1"],
  ["Dataset", "Dataset"],
])("schedule %s is %s", (schedule, text) => expect(scheduleText(schedule)).toBe(text));
