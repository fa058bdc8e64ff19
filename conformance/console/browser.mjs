// Opens the console in Debian's Chromium and does what a person would: looks at the flow, opens the
// topic, sees a record arrive that was produced while the page was open.
//
//   node browser.mjs URL FOLDER MARKER     screenshots go to FOLDER; MARKER is awaited on the page

import { createRequire } from "node:module";

const [url, folder, marker] = process.argv.slice(2);
const require = createRequire(`${process.env.TIDEMILL_NODE_CLIENTS}/package.json`);
const { chromium } = require("playwright-core");

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const failures = [];
try {
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1440, height: 900 } });
    page.on("pageerror", (error) => failures.push(`${page.url()}: ${error.message}`));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== url && !request.url().startsWith("data:")) failures.push(`asked ${request.url()}`);
    });
    for (const path of ["/", "/topics", "/groups", "/schemas", "/dags", "/pipelines", "/tables", "/sql"]) {
      await page.goto(url + path);
      await page.getByRole("main").first().waitFor({ timeout: 15000 });
      await page.waitForTimeout(700);
      await page.screenshot({ path: `${folder}/${path.slice(1) || "flow"}-${colorScheme}.png` });
    }
    await page.goto(url);
    await page.getByText("users_created", { exact: true }).first().waitFor({ timeout: 15000 });
    if (colorScheme === "light") {
      await page.goto(`${url}/topics/users_created/messages`);
      await page.getByRole("button", { name: "Live", exact: true }).click();
      console.log("open");
      await page.getByText(marker).first().waitFor({ timeout: 30000 });
    }
    await page.close();
  }
} finally {
  await browser.close();
}
if (failures.length) {
  console.error(failures.join("\n"));
  process.exit(1);
}
console.log("seen");
