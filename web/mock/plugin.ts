import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { answer, Missing } from "./api.ts";
import { browse, tail } from "./messages.ts";
import { history, SCENARIOS, type Scenario, snapshot } from "./world.ts";

let scenario: Scenario = (process.env.SCENARIO as Scenario) ?? "normal";

/** Answers `/api/v1` in the development server. `POST /__scenario/<name>` changes the machine. */
export function fixtureBackend(): Plugin {
  return {
    name: "tidemill-fixtures",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const url = new URL(request.url ?? "/", "http://localhost");
        const chosen = SCENARIOS.find((s) => url.pathname === `/__scenario/${s}`);
        if (chosen) {
          scenario = chosen;
          response.end(chosen);
        } else if (url.pathname.startsWith("/api/v1/")) {
          void handle(url, request, response);
        } else next();
      });
    },
  };
}

async function handle(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = url.pathname.slice("/api/v1".length).split("/").filter(Boolean).map(decodeURIComponent);
  if (path[0] === "events") return events(request, response);
  if (path[0] === "topics" && path[2] === "messages") return browse(path[1]!, url.searchParams, response);
  if (path[0] === "topics" && path[2] === "tail") return tail(path[1]!, url.searchParams, request, response);
  try {
    let body = "";
    for await (const chunk of request) body += chunk;
    const result = answer(
      scenario,
      request.method ?? "GET",
      path,
      url.searchParams,
      body ? JSON.parse(body) : null,
    );
    await new Promise((done) => setTimeout(done, 40));
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(result));
  } catch (error) {
    const missing = error instanceof Missing;
    response.statusCode = missing ? error.status : 500;
    response.setHeader("Content-Type", "application/json");
    response.end(
      JSON.stringify({
        error: {
          part: missing ? error.part : "console",
          message: String((error as Error).message),
          hint: null,
        },
      }),
    );
  }
}

function events(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const say = (event: string, data: unknown) =>
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  say("history", history(scenario));
  say("snapshot", snapshot(scenario));
  const timer = setInterval(() => say("snapshot", snapshot(scenario)), 1000);
  request.on("close", () => clearInterval(timer));
}
