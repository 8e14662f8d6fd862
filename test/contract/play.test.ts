/** Sounds and tones that are played, from the request to the ear. */
import { describe, expect, test } from "bun:test";
import { encodeWav } from "../../src/audio/wav";
import { EventListener, post, postBytes, request } from "../support/client";
import { throughMulaw } from "../support/companding";
import { eventually } from "../support/server";
import { refused, sharedTelephones } from "../support/shared_telephones";
import { find, noise, sine } from "../support/stepped";

const phones = sharedTelephones(12, 1);
const { freshLine } = phones;

const bytes = (samples: Int16Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(samples.buffer.slice(samples.byteOffset, samples.byteOffset + samples.byteLength) as ArrayBuffer);

describe("sound", () => {
  test("raw and WAV reach the ear sample for sample after companding", async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    for (const [file, samples] of [
      [bytes(noise(4001)), noise(4001)],
      [encodeWav(noise(3000, 7)), noise(3000, 7)],
    ] as const) {
      const { status, body } = await postBytes(`${url}/play-audio?wait=true`, file);
      expect(status).toBe(200);
      expect(body).toMatchObject({ status: "success", bytes_written: samples.length * 2, reason: "completed" });
      expect(typeof body.playback_id).toBe("string");
      // A far end may be a block behind, and a guest's clock seconds ahead.
      await eventually(
        async () => find(await phone.ear(30), throughMulaw(samples)),
        (at) => at >= 0,
      );
    }
    await phone.hangUp();
  });

  test("on-hook is 409, unless it may wait for the lift", async () => {
    const { url, phone, line } = freshLine();
    refused(await postBytes(`${url}/play-audio`, bytes(sine(440, 100))), 409, "line_on_hook");
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    const { body } = await postBytes(`${url}/play-audio?when=off_hook`, bytes(sine(440, 100)));
    await phone.lift();
    await events.event("playback_started", { playback_id: body.playback_id });
    expect(await events.event("playback_finished")).toMatchObject({ reason: "completed", heard_ms: 100 });
    await phone.hangUp();
  });

  test("while ringing it waits for the answer", async () => {
    const { url, phone, line } = freshLine();
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    await post(`${url}/ring`, { pattern: "CONTINUOUS" });
    await postBytes(`${url}/play-audio`, bytes(sine(440, 100)));
    await phone.lift();
    await events.event("playback_finished", { reason: "completed" });
    expect(events.types().indexOf("off_hook")).toBeLessThan(events.types().indexOf("playback_started"));
    await phone.hangUp();
  });

  test("a form's file is played, too", async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    const form = new FormData();
    form.set("file", new Blob([encodeWav(sine(440, 50))]), "hello.wav");
    const { status, body } = await request(`${url}/play-audio`, { method: "POST", body: form });
    expect([status, body.duration_ms]).toEqual([200, 50]);
    await phone.hangUp();
  });

  test("a form's raw sound is as long as it turns out to be", async () => {
    const { url, phone, line } = freshLine();
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    await phone.lift();
    const form = new FormData();
    form.set("file", new Blob([bytes(noise(2000, 3))]), "hello.raw");
    const { body: at } = await request(`${url}/play-audio`, { method: "POST", body: form });
    expect(at).toMatchObject({ status: "success", duration_ms: null, bytes_written: null });
    await events.event("playback_finished", { playback_id: String(at.playback_id) });
    const { body } = await request(`${url}/play-audio?wait=true`, { method: "POST", body: form });
    expect(body).toMatchObject({ reason: "completed", duration_ms: 250, bytes_written: 4000 });
    await eventually(
      async () => find(await phone.ear(30), throughMulaw(noise(2000, 3))),
      (found) => found >= 0,
    );
    form.set("file", new Blob([bytes(noise(2000, 3)), "x"]), "odd.raw");
    const { body: odd } = await request(`${url}/play-audio?wait=true`, { method: "POST", body: form });
    expect(odd).toMatchObject({ reason: "error", heard_ms: 250 });
    await phone.hangUp();
  });

  test.each(["application/x-www-form-urlencoded", "text/plain;charset=UTF-8", ""])(
    "JSON that is sent as %p is JSON",
    async (type) => {
      const { url, phone } = freshLine();
      const send = (to: string, body: string) =>
        request(to, {
          method: "POST",
          body: new TextEncoder().encode(body),
          headers: type ? { "content-type": type } : {},
        });
      await phone.lift();
      const { body } = await send(`${url}/play-audio?when=off_hook`, ' {"tone": "busy"}');
      expect(body).toMatchObject({ status: "success", duration_ms: 5000 });
      refused(await send(`${url}/play-audio`, "{tone: busy}"), 400, "malformed_json");
      expect(await send(`${url}/play-audio`, '{"tune":1}')).toMatchObject({
        status: 422,
        body: { errors: [{ field: "tune" }] },
      });
      refused(await send(`${url}/play-audio`, `{"say":"${"a".repeat(200_000)}"}`), 413, "body_too_large");
      expect(
        (await send(`${phones.server.rest}/prompts/json-${type.length}`, '{"tone":"busy"}')).body,
      ).toMatchObject({ duration_ms: 5000 });
      await phone.hangUp();
    },
  );

  test("a sound that begins with a brace is one", async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    const braces = new Int16Array(800).fill(0x227b); // {"{"{" …
    refused(await request(`${url}/play-audio`, { method: "POST", body: bytes(braces) }), 400, "malformed_json");
    braces[20] = 5;
    const { body } = await request(`${url}/play-audio`, { method: "POST", body: bytes(braces) });
    expect(body).toMatchObject({ status: "success", duration_ms: 100 });
    // What is called sound is not looked at for JSON; that it is text, and none, is seen all the same.
    const said = new TextEncoder().encode('{"tone":"busy","when":"off_hook"}');
    refused(await postBytes(`${url}/play-audio`, said, "audio/l16"), 415, "unsupported_format");
    await phone.hangUp();
  });

  test("bad sound is refused with what to send", async () => {
    const wav = encodeWav(sine(440, 500));
    const url = `${phones.server.rest}/play-audio?when=off_hook`;
    refused(await postBytes(url, new Uint8Array(3)), 422, "odd_length");
    refused(await postBytes(url, new Uint8Array(0)), 422, "empty");
    refused(await postBytes(url, wav.slice(0, 300)), 422, "truncated");
    refused(await postBytes(url, new TextEncoder().encode("FORM1234AIFF and more")), 415, "unsupported_format");
    refused(await postBytes(`${phones.server.rest}/play-audio?wen=now`, wav), 422, "invalid_input");
  });

  test("tones: by frequency, several, by name; bad ones are refused", async () => {
    const { url, phone } = freshLine();
    refused(await post(`${url}/generate-tone`, { frequency: 440 }), 409, "line_on_hook");
    // What that problem says to send.
    const waits = await post(`${url}/generate-tone?when=off_hook`, { frequency: 440, duration: 60 });
    expect(waits.body).toMatchObject({ status: "success", duration_ms: 60 });
    await phone.lift();
    for (const body of [
      { frequency: 440 },
      { frequencies: [350, 440] },
      { tone: "busy" },
      { tone: "Dial", zone: "DE" },
    ]) {
      const answer = await post(`${url}/generate-tone`, { ...body, duration: 60 });
      expect(answer.body).toMatchObject({ status: "success", duration_ms: 60 });
    }
    for (const body of [
      { frequency: 0 },
      { frequency: 4000 },
      { frequencies: [] },
      { tone: "bell" },
      { tone: "dial", zone: "xx" },
      { frequency: 440, zone: "de" },
      {},
      { frequency: 1, tone: "dial" },
    ]) {
      refused(await post(`${url}/generate-tone`, body), 422, "invalid_input");
    }
    const nan = { method: "POST", body: '{"frequency": NaN}' };
    refused(await request(`${url}/generate-tone`, nan), 400, "malformed_json");
    await phone.hangUp();
  });
});
