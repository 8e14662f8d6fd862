/** Webhooks, with a receiver that checks every signature by itself. */
import { afterAll, describe, expect } from "bun:test";
import { createHmac, timingSafeEqual } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rig } from "../support/backend";
import { get, type Json, post, simulatedTelephone } from "../support/client";
import { freePort } from "../support/free_port";
import { needs } from "../support/needs";
import { eventually, type RunningServer, startServer } from "../support/server";

const root = mkdtempSync(join(tmpdir(), "dahdi-webhooks-"));
afterAll(() => rmSync(root, { recursive: true }));
let files = 0;
const local = needs(rig === null, "the rig's guest has no way to us");
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

interface Received {
  id: string;
  body: Json;
}

/** Answers with `answer`; keeps what was signed rightly, and whether anything was not. */
function receiver(answer: (count: number) => number, port = 0) {
  const received: Received[] = [];
  const state = { count: 0, forged: 0 };
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const body = await request.text();
      const header = (name: string): string => request.headers.get(name) ?? "";
      const signed = `${header("webhook-id")}.${header("webhook-timestamp")}.${body}`;
      const expected = createHmac("sha256", Buffer.from(SECRET.slice(6), "base64"))
        .update(signed)
        .digest();
      const given = Buffer.from(header("webhook-signature").replace(/^v1,/, ""), "base64");
      const fresh = Math.abs(Date.now() / 1000 - Number(header("webhook-timestamp"))) < 60;
      if (given.length !== expected.length || !timingSafeEqual(given, expected) || !fresh) state.forged++;
      received.push({ id: header("webhook-id"), body: JSON.parse(body) });
      return new Response(null, { status: answer(++state.count) });
    },
  });
  return { port: server.port as number, received, state, [Symbol.dispose]: () => void server.stop(true) };
}

function config(port: number, more = ""): string {
  const path = join(root, `${++files}.yml`);
  writeFileSync(
    path,
    `webhooks:\n  - url: http://127.0.0.1:${port}/hook?token=t0p\n    secret: ${SECRET}\n    allow_private: true\n${more}`,
  );
  return path;
}
const start = (configPath: string, stateDir?: string): Promise<RunningServer> =>
  startServer({ arguments: ["--simulate=2", `--config=${configPath}`], ...(stateDir ? { stateDir } : {}) });
const status = async ({ rest }: RunningServer): Promise<Json> =>
  ((await get(`${rest}/webhooks`)).body.webhooks as Json[])[0] as Json;

describe("a webhook", () => {
  local("that fails three times gets everything, in order, each rightly signed", async () => {
    using hook = receiver((count) => (count <= 3 ? 500 : 204));
    await using server = await start(config(hook.port, "    types: [off_hook, dtmf, on_hook]\n    lines: [2]\n"));
    const phone = simulatedTelephone(server, 2);
    await simulatedTelephone(server, 1).lift();
    await phone.lift();
    await phone.press("12");
    await phone.hangUp();
    await eventually(
      () => hook.received.length,
      (count) => count >= 7,
    );
    expect(hook.state.forged).toBe(0);
    const [first] = hook.received;
    expect(hook.received.slice(0, 4).map(({ id }) => id)).toEqual(Array(4).fill(first?.id));
    expect(hook.received.slice(3).map(({ body }) => body.digit ?? body.type)).toEqual([
      "off_hook",
      "1",
      "2",
      "on_hook",
    ]);
    const { body } = await get(`${server.rest}/events?line=2&types=off_hook`);
    expect(first?.body).toEqual((body.events as Json[])[0] as Json);
    // It was received before its answer was.
    const told = await eventually(
      () => status(server),
      ({ delivered }) => delivered === 4,
    );
    expect(told).toMatchObject({ state: "delivering", webhook: 1 });
    // Neither the secret nor what stands in the query is shown anywhere.
    const shown = JSON.stringify([await get(`${server.rest}/config`), await status(server), await server.log()]);
    expect(shown).toMatch(/:\d+\/\*\*\*"/);
    expect(shown).not.toContain("t0p");
    expect(shown).not.toContain(SECRET.slice(6));
  });

  local("that is dead gets what it missed when it is back, also over a restart", async () => {
    const stateDir = join(root, "state");
    const port = await freePort();
    const path = config(port, "    types: [off_hook, dtmf, on_hook]\n");
    const first = await start(path, stateDir);
    const phone = simulatedTelephone(first, 1);
    await phone.lift();
    await phone.press("7");
    await phone.hangUp();
    const dead = await eventually(
      () => status(first),
      ({ state }) => state === "retrying",
    );
    expect(dead).toMatchObject({ delivered: 0, last_error: "cannot be reached (ECONNREFUSED)" });
    expect(await first.stop()).toBe(0);

    await using second = await start(path, stateDir);
    await eventually(
      () => status(second),
      ({ state }) => state === "retrying",
    );
    using hook = receiver(() => 200, port);
    expect((await post(`${second.rest}/webhooks/resume`)).status).toBe(200);
    await eventually(
      () => hook.received.length,
      (count) => count >= 3,
    );
    expect(hook.received.map(({ body }) => body.digit ?? body.type)).toEqual(["off_hook", "7", "on_hook"]);
    expect(hook.state.forged).toBe(0);
    expect((await post(`${second.rest}/webhooks/resume`, { webhook: 2 })).body.code).toBe("unknown_webhook");
    expect((await post(`${second.rest}/webhooks/resume`, { webhook: 0 })).status).toBe(422);
  });
});
