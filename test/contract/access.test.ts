/**
 * Every operation of the OpenAPI text with every kind of token: what each may is written down here as docs/security.md
 * has it, and nothing else may answer.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ConfiguredServer, rawRequest, startConfigured, tokenCommand } from "../support/configured";
import { eventually } from "../support/server";

const SCOPES = ["read", "control", "admin"] as const;
type Scope = (typeof SCOPES)[number];

/** docs/security.md: all else is read for GET, control for the rest. */
const OPEN = ["GET /health"];
const ADMIN = [
  "GET /tokens",
  "POST /tokens",
  "DELETE /tokens/{name}",
  "GET /config",
  "PATCH /config",
  "POST /webhooks/resume",
  "GET /diagnostics/bundle",
  "GET /diagnostics/flight-recorder",
];
/** What a token of certain lines is shown its part of. */
const OWN_PART = ["GET /lines", "GET /events", "GET /events/stream"];
/** Of no line in their path, and of all lines together. */
const OF_ALL_LINES =
  /^\/(recordings|prompts|bridges|webhooks|tokens|config|diagnostics\/(bundle|flight-recorder)|ready|metrics|generate-tts|speech\/voices|streams|playbacks\/\{playback_id\})(\/|$)/;
const SOCKETS = ["GET /ws", "GET /audio", "GET /lines/{line}/audio"];

const TOKENS: Record<string, { scope: Scope; line: number | null }> = {
  reader: { scope: "read", line: null },
  controller: { scope: "control", line: null },
  boss: { scope: "admin", line: null },
  "reader-of-1": { scope: "read", line: 1 },
  "controller-of-1": { scope: "control", line: 1 },
  "boss-of-2": { scope: "admin", line: 2 },
};

interface Operation {
  "x-scope": string;
  "x-lines": string;
}

let server: ConfiguredServer;
let operations: [name: string, operation: Operation][];
const secrets: Record<string, string> = {};
beforeAll(async () => {
  server = await startConfigured("", 2);
  for (const [name, { scope, line }] of Object.entries(TOKENS)) {
    const lines = line === null ? [] : [`--lines=${line}`];
    secrets[name] = (
      await tokenCommand(server.folder, "create", `--name=${name}`, `--scope=${scope}`, ...lines)
    ).out;
  }
  const text = (await (await fetch(`${server.rest}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  operations = Object.entries(text.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
  expect(operations.length).toBeGreaterThan(100);
  // The server looks at the file twice a second: with the last of them it knows all.
  const last = Object.keys(TOKENS).at(-1) as string;
  await eventually(
    () => ask("GET", "/lines/{line}/status", last, 2),
    ([status]) => status === 200,
  );
  await eventually(
    () => ask("GET", "/status", null, 1),
    ([status]) => status === 401,
  );
}, 120_000);
afterAll(() => server.stop());

function documented(name: string): { scope: Scope | "open"; lines: "one" | "own" | "none" | "all" } {
  const [method = "", path = ""] = name.split(" ");
  const scope = ADMIN.includes(name)
    ? "admin"
    : name === "GET /audio" || name === "GET /lines/{line}/audio"
      ? "control"
      : method === "GET"
        ? "read"
        : "control";
  if (OPEN.includes(name)) return { scope: "open", lines: "all" };
  if (OWN_PART.includes(name) || name === "GET /ws") return { scope, lines: "own" };
  if (path.includes("{line}")) return { scope, lines: "one" };
  return { scope, lines: OF_ALL_LINES.test(path) ? "none" : "one" };
}

/** Asked so that it does nothing where it may: a body that no operation takes, names that nothing has. */
async function ask(method: string, path: string, token: string | null, line: number): Promise<[number, string]> {
  const url = server.rest + path.replace("{line}", String(line)).replaceAll(/\{\w+\}/g, "no-such-thing");
  const stop = new AbortController();
  const response = await fetch(url, {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${secrets[token]}` }) },
    ...(method === "GET" || method === "HEAD" ? {} : { body: '{"no_such_field":1}' }),
    signal: stop.signal,
  });
  const problem = method !== "HEAD" && response.headers.get("content-type") === "application/problem+json";
  const code = problem ? ((await response.json()) as { code: string }).code : "";
  stop.abort(); // an event stream has no end
  return [response.status, code];
}

/** What the guard says before the operation is asked at all; null: it is asked. */
function refusal(name: string, token: string | null, line: number): string | null {
  const { scope, lines } = documented(name);
  if (scope === "open") return null;
  if (token === null) return "401 authentication_required";
  const held = TOKENS[token];
  if (!held) return "401 invalid_token";
  if (SCOPES.indexOf(held.scope) < SCOPES.indexOf(scope)) return "403 insufficient_scope";
  if (held.line === null || lines === "own" || lines === "all") return null;
  const asked = name.includes("{line}") ? line : 1;
  return lines === "none" || asked !== held.line ? "403 line_not_allowed" : null;
}

describe("what the OpenAPI text says of scopes", () => {
  test("is what docs/security.md says", () => {
    const told = operations.map(([name, operation]) => [name, operation["x-scope"], operation["x-lines"]]);
    expect(told).toEqual(
      operations.map(([name]) => {
        const { scope, lines } = documented(name);
        return [name, scope, lines];
      }),
    );
    expect([...OPEN, ...ADMIN, ...OWN_PART].filter((name) => !operations.some(([one]) => one === name))).toEqual(
      [],
    );
  });
});

for (const token of [null, ...Object.keys(TOKENS)]) {
  test(`${token ?? "nobody"} may what is written, and nothing else`, async () => {
    const wrong: string[] = [];
    for (const [name] of operations) {
      if (SOCKETS.includes(name)) continue; // tokens.test.ts opens them
      const [method = "", path = ""] = name.split(" ");
      for (const line of path.includes("{line}") ? [1, 2] : [1]) {
        const [status, code] = await ask(method, path, token, line);
        const expected = refusal(name, token, line);
        const refused = status === 401 || status === 403 ? `${status} ${code}` : null;
        if (refused !== expected || status >= 500) {
          wrong.push(`${name} of line ${line}: ${status} ${code}, not ${expected ?? "an answer"}`);
        }
        // What nobody may reach without its scope answers no HEAD either.
        if (expected !== null && method === "GET") {
          const [head] = await ask("HEAD", path, token, line);
          if (head < 400) wrong.push(`HEAD ${path} of line ${line}: ${head}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);
}

test("what is not documented answers nobody, whatever token comes with it", async () => {
  const paths = [...new Set(operations.map(([name]) => name.split(" ")[1] ?? ""))];
  const wrong: string[] = [];
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      if (operations.some(([name]) => name === `${method} ${path}`)) continue;
      for (const token of ["boss", null]) {
        const [status] = await ask(method, path, token, 1);
        if (status < 400) wrong.push(`${method} ${path}: ${status}`);
      }
    }
  }
  for (const path of [
    "/admin",
    "/debug",
    "/metrics/",
    "/.env",
    "/events.db",
    "/config.yml",
    "/src/main.ts",
    "/lines/0/status",
  ]) {
    const [status] = await ask("GET", path, null, 1);
    if (status !== 401) wrong.push(`GET ${path}: ${status}`);
  }
  // Methods that fetch does not send.
  for (const method of ["TRACE", "PROPFIND", "status", "get"]) {
    const head = `Host: localhost\r\nAuthorization: Bearer ${secrets.boss}`;
    const { status } = await rawRequest(server.rest, `${method} /status HTTP/1.1\r\n${head}\r\n\r\n`);
    if (status < 400) wrong.push(`${method} /status: ${status}`);
  }
  expect(wrong).toEqual([]);
}, 120_000);
