/** A playback from its request to its end: as it is, looped, held, sought in. */
import { describe, expect, test } from "bun:test";
import { KeptSource } from "../../../src/audio/kept_source";
import { NOT_YET } from "../../../src/audio/source";
import type { PcmSource } from "../../../src/exchange/verbs";
import { clickDb } from "../../support/clicks";
import { refusal } from "../../support/refusal";
import { find, noise, pcmSource, sine } from "../../support/stepped";
import { heard, lifted, whole } from "./listening_telephone";

describe("the null test", () => {
  test("what is heard minus what was sent is nothing, from the first sample to the last", async () => {
    using line = await lifted();
    const sent = noise(8000 * 12, 7, 20_000);
    await line.phone.until(line.play(sent).finished);
    await line.phone.advance(60);
    const ear = line.phone.handsets.ear(1, 14);
    const at = find(ear, sent);
    expect(at).toBeGreaterThanOrEqual(0);
    let difference = 0;
    for (const [i, sample] of sent.entries()) difference += Math.abs(sample - (ear[at + i] as number));
    expect(difference).toBe(0);
    expect(ear.slice(0, at).some((sample) => sample !== 0)).toBe(false);
    // It ends in mid-wave: 5 ms in which its last sample falls to silence, and then nothing.
    expect(ear.slice(at + sent.length + 40).some((sample) => sample !== 0)).toBe(false);
  });

  test.each([0, -6, 6])("gain_db %d is the same sound, scaled, to the rounding", async (gainDb) => {
    using line = await lifted();
    const sent = noise(2000, 3, 10_000);
    sent[1] = 5000;
    await line.phone.until(line.play(sent, { gainDb }).finished);
    await line.phone.advance(60);
    const ear = heard(line.phone);
    for (let i = 1; i < sent.length; i++) {
      const error = (ear[i - 1] as number) - (sent[i] as number) * 10 ** (gainDb / 20);
      expect(Math.abs(error)).toBeLessThanOrEqual(gainDb === 0 ? 0 : 0.51);
    }
  });

  test("gain beyond full scale is limited, not cut off", async () => {
    using line = await lifted();
    await line.phone.until(line.play(sine(400, 500, 20_000), { gainDb: 12 }).finished);
    await line.phone.advance(60);
    const ear = heard(line.phone).slice(200, -200);
    const peak = ear.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peak).toBeLessThanOrEqual(32_767);
    expect(peak).toBeGreaterThan(28_000);
    // Cut off, a sine four times too loud would have its third harmonic at −11 dB.
    expect(clickDb(ear, 400, peak)).toBeLessThan(-30);
  });
});

describe("a loop", () => {
  test("has no seam: the sound, sample for sample, so many times", async () => {
    using line = await lifted();
    const once = noise(4001, 5);
    const playback = line.play(await whole(once), { loop: 3 });
    expect(playback).toMatchObject({ durationMs: 1500, bytes: 3 * 4001 * 2 });
    const [status] = line.playbacks.list(1);
    expect(status).toMatchObject({ loop: 3, round: 1, soundMs: 500, durationMs: 1500 });
    await line.phone.advance(700);
    expect(line.playbacks.find(playback.playbackId)).toMatchObject({ state: "playing", round: 2 });
    expect(await line.phone.until(playback.finished)).toEqual({ reason: "completed", heardMs: 1500 });
    await line.phone.advance(60);
    const thrice = Int16Array.from([...once, ...once, ...once]);
    expect(find(line.phone.handsets.ear(1, 5), thrice)).toBeGreaterThan(-1);
  });

  test("for ever lasts until it is stopped", async () => {
    using line = await lifted();
    const playback = line.play(await whole(noise(800)), { loop: 0 });
    expect(playback.durationMs).toBeNull();
    await line.phone.advance(20_000);
    const stopped = await line.phone.until(line.playbacks.stop(playback.playbackId));
    expect(stopped).toMatchObject({ state: "finished", reason: "stopped" });
    expect(Math.abs(stopped.heardMs - 20_000)).toBeLessThanOrEqual(60);
  });

  test("is not for what is longer than the bound, or breaks", async () => {
    const endless: PcmSource = { samples: null, read: (into) => into.length };
    expect(await new KeptSource(endless).gather()).toBe("too_long");
    const long: PcmSource = { samples: 8000 * 3600, read: (into) => into.length };
    expect(await new KeptSource(long).gather()).toBe("too_long");
    const broken: PcmSource = {
      samples: null,
      read: () => {
        throw new Error("broken");
      },
    };
    expect(new KeptSource(broken).gather()).rejects.toThrow("broken");
  });
});

describe("a pause", () => {
  test("keeps the sound and its place, to the sample, and is told", async () => {
    using line = await lifted();
    const sound = noise(8000, 4);
    const playback = line.play(sound);
    const behind = line.play(noise(800, 5));
    await line.phone.advance(400);
    const paused = await line.phone.until(line.playbacks.pause(playback.playbackId));
    expect(paused.state).toBe("paused");
    expect(await refusal(() => line.playbacks.pause(playback.playbackId))).toBe("not_playing");
    expect(await refusal(() => line.playbacks.pause(behind.playbackId))).toBe("not_playing");
    await line.phone.advance(5000);
    expect(line.playbacks.find(playback.playbackId).positionMs).toBe(paused.positionMs);
    const resumed = await line.phone.until(line.playbacks.resume(playback.playbackId));
    expect(resumed.state).toBe("playing");
    expect(await refusal(() => line.playbacks.resume(playback.playbackId))).toBe("not_paused");
    expect(await line.phone.until(playback.finished)).toEqual({ reason: "completed", heardMs: 1000 });
    expect(await line.phone.until(behind.finished)).toEqual({ reason: "completed", heardMs: 100 });
    await line.phone.advance(60);
    // Where it went on, no sample is missing and none comes twice: what follows the fade is the sound's own end.
    const ear = line.phone.handsets.ear(1, 10);
    const cutAt = Math.round(paused.positionMs * 8);
    expect(find(ear, sound.slice(0, cutAt - 400))).toBeGreaterThan(-1);
    expect(find(ear, sound.slice(cutAt + 400))).toBeGreaterThan(-1);
    const moved = line.phone.told.flatMap(({ body }) =>
      body.type === "playback_paused" || body.type === "playback_resumed" ? [[body.type, body.position_ms]] : [],
    );
    expect(moved).toEqual([
      ["playback_paused", paused.positionMs],
      ["playback_resumed", paused.positionMs],
    ]);
  });

  test("is ended by a stop and by hanging up, and what is played then is heard", async () => {
    using line = await lifted();
    const first = line.play(noise(8000, 1));
    await line.phone.advance(300);
    await line.phone.until(line.playbacks.pause(first.playbackId));
    const stopped = await line.phone.until(line.playbacks.stop(first.playbackId));
    expect(Math.abs(stopped.heardMs - 300)).toBeLessThanOrEqual(60);
    const second = line.play(noise(8000, 2));
    await line.phone.advance(300);
    await line.phone.until(line.playbacks.pause(second.playbackId));
    await line.phone.until(line.phone.handsets.hangUp(1));
    expect((await line.phone.until(second.finished)).reason).toBe("hung_up");
    await line.phone.until(line.phone.handsets.lift(1));
    const sound = noise(4000, 3);
    await line.phone.until(line.play(sound).finished);
    await line.phone.advance(60);
    expect(find(line.phone.handsets.ear(1, 5), sound)).toBeGreaterThan(-1);
  });
});

describe("a seek", () => {
  test("goes on elsewhere, forwards and backwards, and counts what was heard", async () => {
    using line = await lifted();
    const sound = noise(80_000, 6);
    const playback = line.play(sound);
    const behind = line.play(noise(800, 7));
    await line.phone.advance(500);
    await line.playbacks.seek(playback.playbackId, 9000);
    await line.phone.advance(500);
    expect(Math.abs(line.playbacks.find(playback.playbackId).positionMs - 9500)).toBeLessThanOrEqual(60);
    await line.playbacks.seek(playback.playbackId, 8000);
    const end = await line.phone.until(playback.finished);
    expect(end.reason).toBe("completed");
    expect(Math.abs(end.heardMs - 3000)).toBeLessThanOrEqual(60);
    expect(await line.phone.until(behind.finished)).toEqual({ reason: "completed", heardMs: 100 });
    await line.phone.advance(60);
    const ear = line.phone.handsets.ear(1, 10);
    expect(find(ear, sound.slice(72_040, 75_000))).toBeGreaterThan(-1);
    expect(find(ear, sound.slice(64_040))).toBeGreaterThan(-1);
    expect(line.phone.types().filter((type) => type === "playback_started").length).toBe(2);
    expect(line.phone.exchange.diagnostics(1).io.playout_underruns).toBe(0);
  });

  test("of one that waits is where it begins; of a paused one, where it goes on", async () => {
    using line = await lifted();
    const sound = noise(16_000, 8);
    const waiting = line.phone.exchange.play(1, pcmSource(sound), { when: "now" });
    await line.playbacks.seek(waiting.playbackId, 500);
    await line.phone.advance(200);
    await line.phone.until(line.playbacks.pause(waiting.playbackId));
    expect((await line.playbacks.seek(waiting.playbackId, 1500)).positionMs).toBe(1500);
    await line.phone.advance(1000);
    expect(line.playbacks.find(waiting.playbackId)).toMatchObject({ state: "paused", positionMs: 1500 });
    await line.phone.until(line.playbacks.resume(waiting.playbackId));
    const end = await line.phone.until(waiting.finished);
    expect(end.reason).toBe("completed");
    expect(Math.abs(end.heardMs - 700)).toBeLessThanOrEqual(60);
    await line.phone.advance(60);
    expect(find(line.phone.handsets.ear(1, 5), sound.slice(12_080))).toBeGreaterThan(-1);
  });

  test("is refused past the end, and where the sound is too long to be kept", async () => {
    using line = await lifted();
    const playback = line.play(noise(8000));
    expect(await refusal(() => line.playbacks.seek(playback.playbackId, 1001))).toBe("invalid_input");
    const long: PcmSource = { samples: 8000 * 3600, heldBytes: 0, read: (into) => into.fill(100).length };
    const other = line.play(long, { mode: "replace" });
    await line.phone.advance(300);
    expect(line.playbacks.find(other.playbackId).seekable).toBe(false);
    expect(await refusal(() => line.playbacks.seek(other.playbackId, 0))).toBe("not_seekable");
  });

  test("reads on where the sound has not arrived yet", async () => {
    using line = await lifted();
    const sound = noise(40_000, 11);
    let arrived = 8000;
    let at = 0;
    let told = (): void => undefined;
    const arriving: PcmSource = {
      samples: null,
      read(into) {
        if (at === sound.length) return 0;
        const count = Math.min(into.length, arrived - at);
        if (count === 0) return NOT_YET;
        into.set(sound.subarray(at, at + count));
        at += count;
        return count;
      },
      whenReady: (listener) => {
        told = listener;
      },
    };
    const playback = line.play(arriving);
    await line.phone.advance(300);
    await line.playbacks.seek(playback.playbackId, 4000);
    await line.phone.advance(500);
    arrived = sound.length;
    told();
    expect((await line.phone.until(playback.finished)).reason).toBe("completed");
    await line.phone.advance(60);
    expect(find(line.phone.handsets.ear(1, 10), sound.slice(32_040))).toBeGreaterThan(-1);
  });
});
