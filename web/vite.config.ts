import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { thirdParty } from "./build/third-party.ts";
import { fixtureBackend } from "./mock/plugin.ts";

// `npm run dev` answers `/api` from fixtures; TIDEMILL_CONSOLE=http://127.0.0.1:9021 asks a running
// console instead.
const console_ = process.env.TIDEMILL_CONSOLE;

/** Libraries change rarely: each group keeps its file name, and its diff, when only our code changes. */
const vendors: [name: string, packages: RegExp][] = [
  ["react", /node_modules\/(react|react-dom|scheduler|use-sync-external-store)\//],
  ["graph", /node_modules\/(@xyflow|@dagrejs|d3-[a-z]+|zustand|classcat)\//],
  ["chart", /node_modules\/uplot\//],
  ["router", /node_modules\/@tanstack\//],
  [
    "parts",
    /node_modules\/(@radix-ui|radix-ui|cmdk|@floating-ui|aria-hidden|react-remove-scroll|lucide-react)/,
  ],
];

export default defineConfig({
  plugins: [
    react(),
    tailwindcss(),
    thirdParty(fileURLToPath(new URL(".", import.meta.url))),
    ...(console_ ? [] : [fixtureBackend()]),
  ],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    port: 5173,
    strictPort: false,
    ...(console_ ? { proxy: { "/api": { target: console_, changeOrigin: true } } } : {}),
  },
  build: {
    outDir: "../crates/systems/console/dist",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: vendors.map(([name, test]) => ({ name: `vendor-${name}`, test })),
        },
      },
    },
  },
});
