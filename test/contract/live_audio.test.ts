/** WS /lines/{line}/audio: what is said arrives, what is sent is heard, and nobody is delayed by another. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SAMPLE_FORMATS } from "../../src/audio/sample_format";
import { AudioClient } from "../support/audio_client";
import { get, type Json, post, request, simulatedTelephone, type Telephone } from "../support/client";
import { bestLag } from "../support/recordings";
import { eventually, type RunningServer, startServer } from "../support/server";
import { find, noise } from "../support/stepped";

let server: RunningServer;
beforeAll(async () => {
  // Nothing on the lines but what is said, and nothing lost in companding: then all is compared sample for sample.
  server = await startServer({
    arguments: ["--simulate=20", "--config", `${import.meta.dir}/live_audio.yml`],
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

let lastLine = 0;
const freshLine = (): { line: number; phone: Telephone; url: string; rest: string } => {
  const line = ++lastLine;
  const rest = `${server.rest}/lines/${line}`;
  return { line, phone: simulatedTelephone(server, line), url: `${rest.replace("http:", "ws:")}/audio`, rest };
};
const lifted = async () => {
  const fresh = freshLine();
  await fresh.phone.lift();
  return fresh;
};
/** A WebSocket's request, whose refusal can be read. */
const upgrade = (url: string): Promise<{ status: number; body: Json }> =>
  request(url.replace("ws:", "http:"), {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
const speech = (samples: number, seed: number): Int16Array<ArrayBuffer> =>
  noise(samples, seed) as Int16Array<ArrayBuffer>;

describe("listening", () => {
  test("two hear what is said, sample for sample and without a gap, on both ports", async () => {
    const { line, phone, url } = await lifted();
    using one = await AudioClient.open(`${url}?mode=listen`);
    using two = await AudioClient.open(
      `${server.websocket.replace("/ws", "")}/lines/${line}/audio?mode=listen&frame_ms=60`,
    );
    expect(await one.tells("started")).toEqual({
      type: "started",
      line,
      format: "slin16",
      sample_rate: 8000,
      frame_ms: 20,
      mode: "listen",
    });
    await two.tells("started", { frame_ms: 60 });
    const said = speech(8000, line);
    await phone.speak(said);
    for (const client of [one, two])
      await eventually(
        () => find(client.heard(), said),
        (at) => at >= 0,
      );
    expect(new Set(one.frames.map(({ length }) => length))).toEqual(new Set([320]));
    expect(new Set(two.frames.map(({ length }) => length))).toEqual(new Set([960]));
    expect(await one.stats()).toMatchObject({ lost_samples: 0, frames_in: 0 });
  });

  test("G.711 is what was said, companded", async () => {
    const { phone, url } = await lifted();
    const said = speech(4000, 9);
    for (const format of ["mulaw", "alaw"] as const) {
      using client = await AudioClient.open(`${url}?mode=listen&format=${format}`);
      await client.tells("started");
      await phone.speak(said);
      const codec = SAMPLE_FORMATS[format];
      const expected = codec.decode(codec.encode(said));
      await eventually(
        () => find(codec.decode(Buffer.concat(client.frames)), expected),
        (at) => at >= 0,
      );
      expect(client.frames[0]?.length).toBe(160);
    }
  });
});
