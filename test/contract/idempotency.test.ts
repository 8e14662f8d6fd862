/** Idempotency-Key: a POST that is sent again is not done again. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startTelephones, type Telephones } from "../support/backend";
import { EventListener, get, post, request } from "../support/client";
import { toneSamples } from "../support/tones";

let telephones: Telephones;
let rest: string;
beforeAll(async () => {
  telephones = await startTelephones(1);
  ({ rest } = telephones.server);
});
afterAll(() => telephones.server.stop());

describe("a POST with an Idempotency-Key", () => {
  test("rings once, and is answered twice the same", async () => {
    using listener = await EventListener.open(telephones.server.websocket);
    const headers = { "idempotency-key": "01-ring" };
    const first = await post(`${rest}/ring`, { pattern: "SINGLE" }, headers);
    expect(first.status).toBe(200);
    await listener.event("ring_stop");
    const again = await post(`${rest}/ring`, { pattern: "SINGLE" }, headers);
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.headers.get("content-type")).toStartWith("application/json");
    await post(`${rest}/ring`, { pattern: "SINGLE" });
    await listener.event("ring_start");
    await post(`${rest}/stop-ring`);
    await listener.event("ring_stop", { reason: "stopped" }).catch(() => undefined);
    expect(listener.types().filter((type) => type === "ring_start")).toHaveLength(2);
    expect(await post(`${rest}/ring`, { pattern: "NORMAL" }, headers)).toMatchObject({
      status: 422,
      body: { code: "idempotency_key_reused" },
    });
    expect((await get(`${rest}/status`)).body.state).toBe("IDLE");
  });

  test("holds a sound too, and waits with it", async () => {
    const telephone = telephones.telephone(1);
    using listener = await EventListener.open(telephones.server.websocket);
    await telephone.lift();
    const play = () =>
      request(`${rest}/play-audio?wait=true`, {
        method: "POST",
        headers: { "idempotency-key": "02-play" },
        body: new Uint8Array(toneSamples("5", { on_ms: 60_000 }).buffer),
      });
    const first = play();
    await listener.event("playback_started");
    expect(await play()).toMatchObject({ status: 409, body: { code: "idempotency_in_progress" } });
    await post(`${rest}/stop-playback`);
    const done = await first;
    expect(done).toMatchObject({ status: 200, body: { status: "success", reason: "stopped" } });
    const replayed = await play();
    expect(replayed.body).toEqual(done.body);
    expect(replayed.headers.get("idempotency-replayed")).toBe("true");
    await telephone.hangUp();
  });

  test("must be a key", async () => {
    const answer = await post(`${rest}/stop-ring`, {}, { "idempotency-key": "with space" });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_idempotency_key" } });
  });
});
