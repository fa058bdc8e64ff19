// Runs axe over every page of a running development server or console, in both themes:
// node scripts/a11y.mjs [--base URL]. Exits 1 if anything serious is found.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const args = process.argv.slice(2);
const base = args[0] === "--base" ? args[1] : "http://127.0.0.1:5173";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = [
  "/",
  "/topics",
  "/topics/users_created",
  "/topics/users_created?tab=config",
  "/topics/users_created.dlq?open=0-3",
  "/groups",
  "/groups/mailer",
  "/schemas",
  "/schemas/orders-value?against=2",
  "/tables",
  "/tables/spark_streams/created_users",
  "/tables/spark_streams/created_users?tab=schema",
  "/dags",
  "/dags/user_automation",
  "/dags/user_automation?trigger=true",
  "/dags/user_automation?tab=code",
  "/pipelines",
  "/pipelines/users",
  "/sql",
];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
let serious = 0;
for (const colorScheme of ["light", "dark"]) {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width: 1440, height: 900 },
    bypassCSP: true,
  });
  const page = await context.newPage();
  for (const path of PAGES) {
    await page.goto(base + path, { waitUntil: "domcontentloaded" });
    await page.waitForTimeout(1500);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
    for (const { id, impact, help, nodes } of violations) {
      if (impact === "serious" || impact === "critical") serious += 1;
      console.log(
        `${colorScheme} ${path}: ${impact} ${id}: ${help} (${nodes.length}) ${nodes[0].target.join(" ")}`,
      );
    }
  }
  await context.close();
}
await browser.close();
console.log(serious === 0 ? "nothing serious" : `${serious} serious`);
process.exit(serious === 0 ? 0 : 1);
