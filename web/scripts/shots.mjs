// Pictures of pages, to be looked at: node scripts/shots.mjs [--base URL] [--out DIR] [name=path …]
// Each page in light and dark at 1440×900, and light at 390×844.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const args = process.argv.slice(2);
const option = (name, otherwise) => {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : args.splice(at, 2)[1];
};
const base = option("--base", "http://127.0.0.1:5173");
const out = option("--out", "shots");
const only = option("--only", "light,dark,phone").split(",");
const wait = Number(option("--wait", "1800"));
const scenario = option("--scenario", null);
const pages =
  args.length > 0
    ? args.map((a) => [a.slice(0, a.indexOf("=")), a.slice(a.indexOf("=") + 1)])
    : [["flow", "/"]];

mkdirSync(out, { recursive: true });
if (scenario) await fetch(`${base}/__scenario/${scenario}`, { method: "POST" });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const looks = {
  light: { colorScheme: "light", viewport: { width: 1440, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1440, height: 900 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
};
let failed = false;
for (const look of only) {
  const context = await browser.newContext(looks[look]);
  const page = await context.newPage();
  page.on("console", (m) => {
    if (m.type() === "error" || m.type() === "warning") console.error(`[${look}] ${m.text()}`);
  });
  page.on("pageerror", (e) => {
    failed = true;
    console.error(`[${look}] ${e.stack}`);
  });
  for (const [name, path] of pages) {
    await page.goto(base + path, { waitUntil: "domcontentloaded" });
    await page.waitForTimeout(wait);
    await page.screenshot({ path: `${out}/${name}-${look}.png` });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) console.error(`[${look}] ${name}: ${wide} px wider than the window`);
  }
  await context.close();
}
await browser.close();
process.exit(failed ? 1 : 0);
