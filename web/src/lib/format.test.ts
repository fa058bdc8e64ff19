import { describe, expect, test } from "vitest";
import { ago, bytes, compact, count, duration, rate } from "./format";

describe("numbers are read at a glance", () => {
  test.each([
    [null, "–"],
    [0, "0"],
    [9999, "9,999"],
    [10_000, "10.0k"],
    [55_512, "55.5k"],
    [1_234_567, "1.23M"],
    [12_345_678_901, "12.3G"],
  ])("compact(%s) is %s", (n, text) => expect(compact(n)).toBe(text));

  test.each([
    [0, "0"],
    [0.01, "<0.1"],
    [0.44, "0.4"],
    [20, "20"],
    [19.76, "19.8"],
    [99.96, "100"],
    [1204, "1,204"],
    [12_345, "12.3k"],
  ])("rate(%s) is %s", (n, text) => expect(rate(n)).toBe(text));

  test("count groups digits", () => expect(count(1234567)).toBe("1,234,567"));

  test.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1536, "1.5 KiB"],
    [1 << 30, "1 GiB"],
  ])("bytes(%s) is %s", (n, text) => expect(bytes(n)).toBe(text));
});

describe("times are in the unit that fits", () => {
  test.each([
    [0, "0 ms"],
    [0.35, "0.3 ms"],
    [7.44, "7.4 ms"],
    [812, "812 ms"],
    [1000, "1 s"],
    [51_100, "51.1 s"],
    [192_000, "3 m 12 s"],
    [7_500_000, "2 h 5 m"],
    [604_800_000, "7 d"],
  ])("duration(%s) is %s", (ms, text) => expect(duration(ms)).toBe(text));

  test.each([
    [0, "now"],
    [12_000, "12 s ago"],
    [-180_000, "in 3 min"],
    [7_200_000, "2 h ago"],
  ])("%s ms back is %s", (delta, text) => expect(ago(1e12 - delta, 1e12)).toBe(text));
});
