import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** What may be shipped inside the binary. */
const ALLOWED = /^(MIT|Apache-2\.0|BSD-[23]-Clause|ISC|0BSD|MPL-2\.0|OFL-1\.1)$/;

/** Its reset is inlined into our style sheet and leaves no module behind. */
const INLINED = ["node_modules/tailwindcss"];

interface LockedPackage {
  version: string;
  license?: string;
}

/**
 * Writes `THIRD_PARTY.txt`: each package of which something is in the built files, with the version
 * and licence of the lockfile and the text the package carries. A licence that is not allowed stops
 * the build.
 */
export function thirdParty(root: string): Plugin {
  return {
    name: "tidemill-third-party",
    apply: "build",
    generateBundle(_, bundle) {
      const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
        packages: Record<string, LockedPackage>;
      };
      const shipped = new Set(INLINED);
      const note = (file: string) => {
        const name = packageOf(file);
        if (name) shipped.add(name);
      };
      for (const part of Object.values(bundle)) {
        if (part.type === "asset") part.originalFileNames.forEach(note);
        else Object.keys(part.modules).forEach(note);
      }
      for (const id of this.getModuleIds()) if (id.includes(".css")) note(id);
      const entries = [...shipped].sort().map((path) => entry(root, path, lock.packages[path]));
      this.emitFile({
        type: "asset",
        fileName: "THIRD_PARTY.txt",
        source: entries.join(`\n${"=".repeat(80)}\n\n`),
      });
    },
  };
}

/** `…/node_modules/a/node_modules/@b/c/x.js` → `node_modules/a/node_modules/@b/c`. */
export function packageOf(file: string): string | null {
  const path = file.replaceAll("\\", "/");
  const first = path.indexOf("node_modules/");
  const last = path.lastIndexOf("node_modules/");
  if (first < 0) return null;
  const [scope = "", name = ""] = path.slice(last + "node_modules/".length).split("/");
  const own = scope.startsWith("@") ? `${scope}/${name}` : scope;
  return `${path.slice(first, last)}node_modules/${own}`;
}

function entry(root: string, path: string, locked: LockedPackage | undefined): string {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  const license = locked?.license ?? "unknown";
  if (!locked || !ALLOWED.test(license))
    throw new Error(`${name} is under ${license}, which may not be shipped`);
  const dir = join(root, path);
  const file = existsSync(dir) ? readdirSync(dir).find((f) => /^(licen[cs]e|copying)/i.test(f)) : undefined;
  const text = file ? readFileSync(join(dir, file), "utf8").trim() : "(the package carries no licence text)";
  return `${name} ${locked.version}\n${license}\n\n${text}\n`;
}
