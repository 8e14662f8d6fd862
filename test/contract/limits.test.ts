/** How often, how many and how slowly a client may. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { EventListener, get, post, request } from "../support/client";
import { type ConfiguredServer, startConfigured } from "../support/configured";
import { eventually } from "../support/server";

let limited: ConfiguredServer;
beforeAll(async () => {
  limited = await startConfigured(
    "api: { rate_limit: { requests_per_second: 1, burst: 20 }, max_connections_per_address: 3, timeout: 1 }\n",
  );
});
afterAll(() => limited.stop());

describe("connections", () => {
  test("of one address are bounded, WebSockets and event streams together", async () => {
    const { rest, websocket } = limited;
    const first = await EventListener.open(websocket);
    using _ = await EventListener.open(websocket);
    const stream = await fetch(`${rest}/events/stream`);
    expect(stream.status).toBe(200);
    expect(await get(`${rest}/events/stream`)).toMatchObject({ status: 429, body: { code: "too_many_clients" } });
    await expect(EventListener.open(websocket)).rejects.toThrow();
    first.socket.close();
    await stream.body?.cancel();
    await eventually(
      async () =>
        EventListener.open(websocket).then(
          (again) => again.socket.close(),
          () => "refused",
        ),
      (refused) => refused === undefined,
    );
  });
});

describe("requests", () => {
  test("beyond the rate are refused, with what the standard headers say", async () => {
    const answers = await eventually(
      async () => [await get(`${limited.rest}/status`), await get(`${limited.rest}/health`)],
      (pair) => pair.some(({ status }) => status === 429),
    );
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ code: "rate_limited", status: 429 });
    expect(refused?.headers.get("retry-after")).toBe("1");
    expect(refused?.headers.get("ratelimit-policy")).toBe('"default";q=20;w=20');
    expect(refused?.headers.get("ratelimit")).toMatch(/^"default";r=0;t=(19|20)$/);
    const again = await eventually(
      () => get(`${limited.rest}/status`),
      ({ status }) => status === 200,
    );
    expect(again.headers.get("ratelimit")).toStartWith('"default";r=');
  });

  test("are not counted unless somebody says so: loopback", async () => {
    await using server = await startConfigured("");
    for (let i = 0; i < 300; i++) expect((await get(`${server.rest}/health`)).status).toBe(200);
    expect((await get(`${server.rest}/status`)).headers.get("ratelimit")).toBeNull();
  });
});

describe("who sends slowly", () => {
  /** Says the beginning, then drips until the server has had enough. */
  async function cutOff(beginning: string, drip: string): Promise<void> {
    const { hostname, port } = new URL(limited.rest);
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: { data: () => undefined, close: () => resolve(), error: () => resolve() },
    });
    socket.write(beginning);
    const dripping = setInterval(() => socket.write(drip), 200);
    await promise;
    clearInterval(dripping);
  }

  // At once: Bun cuts what sends no whole request after ten seconds or so.
  test.concurrent.each([
    ["nothing", "", ""],
    ["headers without end", "GET /status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", "a"],
    ["a body without end", "POST /ring HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", " "],
    ["half of a body", "POST /ring HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{", ""],
    ["no next request", "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", ""],
  ])("is cut off: %s", async (_, beginning, drip) => {
    await cutOff(beginning, drip);
  });

  test.concurrent("is not taken for somebody who waits for a long answer, with an Idempotency-Key too", async () => {
    await using server = await startConfigured("api: { timeout: 1 }\n");
    await post(`${server.rest}/simulator/lines/1/lift`);
    const answer = await request(`${server.rest}/play-audio?wait=true`, {
      method: "POST",
      headers: { "idempotency-key": "long" },
      body: new Uint8Array(new Int16Array(8000 * 8).buffer),
    });
    expect(answer).toMatchObject({ status: 200, body: { duration_ms: 8000 } });
  });

  test("keeps nobody waiting meanwhile", async () => {
    await using server = await startConfigured("");
    const { hostname, port } = new URL(server.rest);
    const quiet = { data: () => undefined };
    const sockets = await Promise.all(
      Array.from({ length: 200 }, () => Bun.connect({ hostname, port: Number(port), socket: quiet })),
    );
    for (const socket of sockets)
      socket.write("POST /ring HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
    expect((await post(`${server.rest}/stop-ring`)).status).toBe(200);
    for (const socket of sockets) socket.end();
  });
});
