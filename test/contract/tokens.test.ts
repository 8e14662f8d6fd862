/** Who may what: tokens of the command line, of the API and of the configuration. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EventListener, get, type Json, request } from "../support/client";
import { type ConfiguredServer, rawRequest, startConfigured, tokenCommand } from "../support/configured";
import { eventually } from "../support/server";

const CONFIGURED = "hunter2-hunter2-hunter2";
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const as = (token: string, url: string, method = "GET", body?: unknown) =>
  request(url, { method, headers: bearer(token), ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

let server: ConfiguredServer;
let rest: string;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  server = await startConfigured(
    `logging: { level: debug }\nsecurity:\n  api_tokens: [{name: monitor, scope: read, token: ${CONFIGURED}}]\n`,
  );
  ({ rest } = server);
  for (const [name, ...more] of [
    ["reader", "--scope=read"],
    ["controller", "--scope=control"],
    ["boss", "--scope=admin"],
    ["kitchen", "--scope=control", "--lines=1"],
  ] as const) {
    const { out, code } = await tokenCommand(server.folder, "create", `--name=${name}`, ...more);
    expect(code).toBe(0);
    tokens[name] = out;
    // A running server knows at once.
    expect((await as(out, `${server.rest}/lines/1/status`)).status).toBe(200);
  }
  tokens.monitor = CONFIGURED;
});
afterAll(() => server.stop());

describe("without a token", () => {
  test.each(["/health", "/docs", "/docs/start.js", "/openapi.json"])("%s is open", async (path) => {
    expect((await fetch(rest + path)).status).toBe(200);
  });

  test.each([
    ["GET", "/status"],
    ["GET", "/lines/1/status"],
    ["GET", "/ready"],
    ["GET", "/events"],
    ["GET", "/events/stream"],
    ["GET", "/config"],
    ["GET", "/tokens"],
    ["GET", "/ws"],
    ["GET", "/no-such-path"],
    ["GET", "/HEALTH"],
    ["POST", "/ring"],
    ["DELETE", "/tokens/boss"],
    ["OPTIONS", "/ring"],
  ])("%s %s is refused", async (method, path) => {
    const { status, headers, body } = await request(rest + path, { method });
    expect({ status, code: body.code }).toEqual({ status: 401, code: "authentication_required" });
    expect(headers.get("www-authenticate")).toStartWith("Bearer");
  });

  test.each([
    "//status",
    "/health/../status",
    "/./status",
    "/%73tatus",
    "/status/",
    "/docs/../lines/1",
    "//health//../config",
    "/health/..%2fconfig",
  ])("no way of writing a path leads past it: %s", async (path) => {
    const { status } = await rawRequest(rest, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(status).toBe(401);
  });

  test("nor with something else for one", async () => {
    for (const authorization of [
      "Basic aHVudGVyMjo=",
      "Bearer",
      "Bearer  ",
      `Token ${tokens.boss}`,
      `Bearer ${tokens.boss} x`,
    ]) {
      expect((await request(`${rest}/status`, { headers: { authorization } })).status).toBe(401);
    }
    expect((await get(`${rest}/status?token=${tokens.boss}`)).status).toBe(401);
  });
});

describe("with a token", () => {
  const paths: [method: string, path: string, body: unknown, scope: "read" | "control" | "admin"][] = [
    ["GET", "/status", undefined, "read"],
    ["GET", "/lines", undefined, "read"],
    ["GET", "/ready", undefined, "read"],
    ["GET", "/events", undefined, "read"],
    ["GET", "/webhooks", undefined, "read"],
    ["POST", "/stop-ring", undefined, "control"],
    ["POST", "/lines/2/stop-ring", undefined, "control"],
    ["POST", "/simulator/lines/2/voltage", { volts: 48 }, "control"],
    ["POST", "/webhooks/resume", {}, "admin"],
    ["GET", "/config", undefined, "admin"],
    ["GET", "/tokens", undefined, "admin"],
  ];
  test.each(paths)("%s %s %p wants %s", async (method, path, body, scope) => {
    const order = ["read", "control", "admin"];
    for (const [name, held] of [
      ["monitor", "read"],
      ["reader", "read"],
      ["controller", "control"],
      ["boss", "admin"],
    ] as const) {
      const answer = await as(tokens[name] ?? "", rest + path, method, body);
      if (order.indexOf(held) >= order.indexOf(scope)) expect(answer.status).toBeLessThan(300);
      else {
        expect(answer).toMatchObject({ status: 403, body: { code: "insufficient_scope" } });
        expect(answer.headers.get("www-authenticate")).toContain(`scope="${scope}"`);
      }
    }
  });

  test("of one line the others are out of reach", async () => {
    const kitchen = (path: string, method = "GET", body?: unknown) =>
      as(tokens.kitchen ?? "", rest + path, method, body);
    expect((await kitchen("/lines/1/status")).status).toBe(200);
    expect((await kitchen("/stop-ring", "POST")).status).toBe(200); // the default line is 1
    const { body } = await kitchen("/lines");
    expect((body.lines as Json[]).map(({ line }) => line)).toEqual([1]);
    for (const [method, path] of [
      ["GET", "/lines/2"],
      ["GET", "/lines/2/status"],
      ["POST", "/lines/2/ring"],
      ["POST", "/simulator/lines/2/lift"],
      ["GET", "/events?line=2"],
      ["GET", "/events/stream?line=2"],
      ["GET", "/recordings"],
      ["GET", "/webhooks"],
    ] as const) {
      expect(await kitchen(path, method)).toMatchObject({ status: 403, body: { code: "line_not_allowed" } });
    }
    using listener = await EventListener.open(`${server.websocket}?token=${tokens.kitchen}`);
    for (const line of [2, 1]) await as(tokens.controller ?? "", `${rest}/simulator/lines/${line}/lift`, "POST");
    await listener.event("off_hook", { line: 1 });
    for (const line of [2, 1])
      await as(tokens.controller ?? "", `${rest}/simulator/lines/${line}/hang-up`, "POST");
    await listener.event("on_hook", { line: 1 });
    expect(listener.frames.every(({ line }) => line === 1)).toBe(true);
    const { body: log } = await kitchen("/events");
    expect((log.events as Json[]).map(({ line }) => line)).toContain(1);
    expect((log.events as Json[]).map(({ line }) => line)).not.toContain(2);
  });

  test("events come by ?token= as well as by a header", async () => {
    using listener = await EventListener.open(`${server.websocket}?token=${tokens.reader}&snapshot=1`);
    await listener.event("snapshot");
    const stream = await fetch(`${rest}/events/stream?token=${tokens.reader}`);
    expect(stream.status).toBe(200);
    await stream.body?.cancel();
    const wrong = await get(`${rest}/events/stream?token=dpa_wrong`);
    expect(wrong).toMatchObject({ status: 401, body: { code: "invalid_token" } });
    await expect(EventListener.open(`${server.websocket}?token=dpa_wrong`)).rejects.toThrow();
    await expect(EventListener.open(server.websocket)).rejects.toThrow();
  });

  test("live audio wants control to talk, read to listen, and the line", async () => {
    const base = server.websocket.replace(/\/ws$/, "");
    const opens = async (path: string, name: string): Promise<boolean> =>
      EventListener.open(`${base}${path}&token=${tokens[name]}`).then(
        (listener) => {
          listener.socket.close();
          return true;
        },
        () => false,
      );
    await as(tokens.boss ?? "", `${rest}/simulator/lines/1/lift`, "POST");
    await as(tokens.boss ?? "", `${rest}/simulator/lines/2/lift`, "POST");
    expect(await opens("/audio?mode=listen", "reader")).toBe(true);
    expect(await opens("/audio?mode=both", "reader")).toBe(false);
    expect(await opens("/lines/1/audio?mode=talk", "kitchen")).toBe(true);
    expect(await opens("/lines/2/audio?mode=talk", "kitchen")).toBe(false);
    expect(await opens("/lines/2/audio?mode=talk", "controller")).toBe(true);
    expect(await opens("/audio?mode=listen", "nobody")).toBe(false);
    for (const line of [1, 2]) await as(tokens.boss ?? "", `${rest}/simulator/lines/${line}/hang-up`, "POST");
  });

  test("revoked, its connections end and it opens nothing more", async () => {
    const { out: gone } = await tokenCommand(server.folder, "create", "--name=guest", "--scope=read");
    using listener = await EventListener.open(`${server.websocket}?token=${gone}`);
    const stream = await fetch(`${rest}/events/stream`, { headers: bearer(gone) });
    const whole = stream.text();
    expect((await as(tokens.boss ?? "", `${rest}/tokens/guest`, "DELETE")).status).toBe(204);
    expect((await listener.closed).code).toBe(1008);
    await whole;
    expect(await as(gone, `${rest}/status`)).toMatchObject({ status: 401, body: { code: "invalid_token" } });
    expect((await tokenCommand(server.folder, "list")).out).not.toContain("guest");
  });

  test("the API makes them as the command line does", async () => {
    const boss = (method: string, path: string, body?: unknown) =>
      as(tokens.boss ?? "", rest + path, method, body);
    const made = await boss("POST", "/tokens", { name: "tv", scope: "read", lines: [2], expires_in_days: 30 });
    expect(made.headers.get("cache-control")).toBe("no-store");
    expect(made.body).toMatchObject({ status: "success", name: "tv", scope: "read", lines: [2] });
    expect((await as(String(made.body.token), `${rest}/lines/2/status`)).status).toBe(200);
    const { body } = await boss("GET", "/tokens");
    expect(JSON.stringify(body)).not.toContain(String(made.body.token));
    const row = (name: string): Json | undefined => (body.tokens as Json[]).find((token) => token.name === name);
    expect(row("tv")).toMatchObject({ scope: "read", configured: false, last_used_at: expect.any(String) });
    expect(row("monitor")).toMatchObject({ scope: "read", configured: true });
    expect((await tokenCommand(server.folder, "list")).out).toMatch(/^tv\tread\tlines 2\tuntil 20/m);
    const refused: [unknown, number, string][] = [
      [{ name: "tv", scope: "read" }, 409, "token_exists"],
      [{ name: "monitor", scope: "read" }, 409, "token_exists"],
      [{ name: "x/y", scope: "read" }, 422, "invalid_input"],
      [{ name: "x", scope: "root" }, 422, "invalid_input"],
      [{ name: "x", scope: "read", lines: [] }, 422, "invalid_input"],
      [{ name: "x", scope: "read", lines: [7] }, 422, "invalid_input"],
      [{ name: "x", scope: "read", expires_in_days: 0 }, 422, "invalid_input"],
    ];
    for (const [input, status, code] of refused) {
      expect(await boss("POST", "/tokens", input)).toMatchObject({ status, body: { code } });
    }
    expect(await boss("DELETE", "/tokens/monitor")).toMatchObject({
      status: 409,
      body: { code: "configured_token" },
    });
    expect(await boss("DELETE", "/tokens/nobody")).toMatchObject({ status: 404, body: { code: "unknown_token" } });
    expect((await boss("DELETE", "/tokens/tv")).status).toBe(204);
    expect((await boss("GET", "/config")).body.security).toMatchObject({
      api_tokens: [{ name: "monitor", scope: "read", token: "***" }],
    });
  });
});

describe("guessing", () => {
  test("is slowed down, and does not shut out who has shown a right token", async () => {
    const answers: number[] = [];
    await eventually(
      async () => {
        answers.push((await as(`dpa_${answers.length}`, `${rest}/status`)).status);
        return answers.at(-1);
      },
      (status) => status === 429,
    );
    const refused = await as("dpa_more", `${rest}/status`);
    expect(refused).toMatchObject({ status: 429, body: { code: "too_many_attempts" } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await as(tokens.controller ?? "", `${rest}/status`)).status).toBe(200);
    // Used elsewhere too, it is still one that was right here.
    const elsewhere = ["--interface", "127.0.0.2", "-H", `Authorization: Bearer ${tokens.controller}`];
    const curl = Bun.spawnSync([
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      ...elsewhere,
      `${rest}/status`,
    ]);
    expect(curl.stdout.toString()).toBe("200");
    await as("dpa_more", `${rest}/status`);
    expect((await as(tokens.controller ?? "", `${rest}/status`)).status).toBe(200);
  });
});

describe("the log", () => {
  test("tells who did what, and nobody's secret", async () => {
    await request(`${rest}/lines/2/ring`, {
      method: "POST",
      headers: { ...bearer(tokens.controller ?? ""), "x-request-id": "order-66" },
      body: '{"repeat": -1}',
    });
    const log = await eventually(
      () => server.log(),
      (text) => text.includes("order-66"),
    );
    const audit = log
      .split("\n")
      .filter((line) => line.includes('"audit"'))
      .map((line) => JSON.parse(line) as Json);
    expect(audit.find(({ request_id }) => request_id === "order-66")).toMatchObject({
      message: "refused",
      who: "controller",
      address: "127.0.0.1",
      what: "POST /lines/2/ring",
      line: 2,
      status: 422,
      code: "invalid_input",
    });
    expect(audit.find(({ what, who }) => what === "POST /stop-ring" && who === "controller")).toMatchObject({
      status: 200,
    });
    expect(
      audit.find(({ what, code }) => what === "POST /stop-ring" && code === "insufficient_scope"),
    ).toMatchObject({ who: "monitor" });
    const talks = (path: string) => audit.filter(({ what }) => what === `GET ${path}`);
    expect(talks("/lines/1/audio")).toMatchObject([{ message: "done", who: "kitchen", line: 1, status: 101 }]);
    expect(talks("/lines/2/audio")).toMatchObject([
      { message: "refused", who: "kitchen", line: 2, status: 403, code: "line_not_allowed" },
      { message: "done", who: "controller", line: 2, status: 101 },
    ]);
    // Who only listens changes nothing.
    expect(talks("/audio")).toMatchObject([{ message: "refused", who: "reader", code: "insufficient_scope" }]);
    expect(talks("/ws")).toEqual([]);
    for (const secret of Object.values(tokens)) {
      expect(log).not.toContain(secret);
      for (const name of readdirSync(server.folder).filter((file) => /\.(json|db.*)$/.test(file)))
        expect(readFileSync(join(server.folder, name), "latin1")).not.toContain(secret);
    }
  });
});
