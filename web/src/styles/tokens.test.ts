import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** OKLCH to linear sRGB (https://www.w3.org/TR/css-color-4/#color-conversion-code), clipped to what a screen shows. */
function linear([l, c, h]: [number, number, number]): [number, number, number] {
  const [a, b] = [c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)];
  const [x, y, z] = [
    l + 0.3963377774 * a + 0.2158037573 * b,
    l - 0.1055613458 * a - 0.0638541728 * b,
    l - 0.0894841775 * a - 1.291485548 * b,
  ].map((v) => v ** 3) as [number, number, number];
  const clip = (v: number) => Math.min(1, Math.max(0, v));
  return [
    clip(4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z),
    clip(-1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z),
    clip(-0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z),
  ];
}

const luminance = (colour: [number, number, number]) => {
  const [r, g, b] = linear(colour);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

function contrast(a: [number, number, number], b: [number, number, number]): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function tokens(selector: string): Record<string, [number, number, number]> {
  const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf("\n}", start));
  const found = [...block.matchAll(/--([\w-]+): oklch\(([\d.]+) ([\d.]+) ([\d.]+)\);/g)];
  return Object.fromEntries(found.map(([, name, l, c, h]) => [name!, [Number(l), Number(c), Number(h)]]));
}

const ON: [text: string, grounds: string[]][] = [
  ["ink", ["canvas", "panel", "raised", "sunken", "hover", "brand-soft", "warn-soft", "bad-soft"]],
  ["ink-soft", ["canvas", "panel", "raised", "sunken", "hover"]],
  ["ink-faint", ["canvas", "panel", "raised", "sunken", "hover"]],
  ["brand", ["panel", "canvas", "raised"]],
  ["brand-strong", ["panel", "brand-soft"]],
  ["on-brand", ["brand", "brand-strong"]],
  ["ok", ["panel", "sunken", "ok-soft"]],
  ["warn", ["panel", "warn-soft"]],
  ["bad", ["panel", "bad-soft"]],
  ["run", ["panel", "sunken", "run-soft"]],
  ["violet", ["panel", "sunken", "violet-soft"]],
];

describe.each([
  ["light", ":root"],
  ["dark", ':root[data-theme="dark"]'],
])("in the %s theme", (_, selector) => {
  const colours = tokens(selector);
  test.each(ON.flatMap(([text, grounds]) => grounds.map((ground) => [text, ground] as const)))(
    "%s is readable on %s",
    (text, ground) => {
      expect(contrast(colours[text]!, colours[ground]!)).toBeGreaterThanOrEqual(4.5);
    },
  );
});
