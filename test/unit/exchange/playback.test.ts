/** A playback from its request to its end: on one lane after another, held, sought in, looped, barged in upon. */
import { describe, expect, test } from "bun:test";
import { KeptSource } from "../../../src/audio/kept_source";
import { NOT_YET } from "../../../src/audio/source";
import type { Playback, PlayOptions } from "../../../src/exchange/playback";
import { type PcmSource, Refusal } from "../../../src/exchange/verbs";
import { seeded } from "../../support/sound_files";
import { find, noise, pcmSource, type Stepped, sine, stepped } from "../../support/stepped";

/** Samples pass as they are. */
const PLAIN = { engine: { SimCompanding: 0, SimNoiseCdbm0: -9000 } } as const;

async function lifted() {
  const phone = await stepped(PLAIN);
  await phone.until(phone.handsets.lift(1));
  await phone.advance(60);
  const play = (samples: Int16Array | PcmSource, options: Partial<PlayOptions> = {}) =>
    phone.exchange.play(1, samples instanceof Int16Array ? pcmSource(samples) : samples, {
      when: "now",
      ...options,
    });
  return { phone, play, playbacks: phone.exchange.playbacks, [Symbol.dispose]: () => phone[Symbol.dispose]() };
}

async function whole(samples: Int16Array): Promise<KeptSource> {
  const kept = new KeptSource(pcmSource(samples));
  expect(await kept.gather()).toBe("whole");
  return kept;
}

/** What the ear has heard since the lift, without the silence around it. */
function heard(phone: Stepped, seconds = 30): Int16Array {
  const ear = phone.handsets.ear(1, seconds);
  const first = ear.findIndex((sample) => sample !== 0);
  const last = ear.findLastIndex((sample) => sample !== 0);
  return first < 0 ? new Int16Array(0) : ear.slice(first, last + 1);
}

const refusal = async (attempt: () => unknown): Promise<string> => {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "worked";
};

/** The largest difference between neighbours. */
function largestStep(samples: Int16Array): number {
  let largest = 0;
  for (let i = 1; i < samples.length; i++)
    largest = Math.max(largest, Math.abs((samples[i] as number) - (samples[i - 1] as number)));
  return largest;
}

/** The greatest power in any 16 ms that does not belong to a tone, dB over the tone's: what is heard of a click. */
function clickDb(samples: Int16Array, toneHz: number, amplitude: number): number {
  const size = 128;
  let worst = 0;
  for (let from = 0; from + size <= samples.length; from += size / 4) {
    for (let hz = 2000; hz < 4000; hz += 62.5) {
      if (Math.abs(hz - toneHz) < 500) continue;
      let re = 0;
      let im = 0;
      for (let i = 0; i < size; i++) {
        const value = (samples[from + i] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (size - 1)));
        re += value * Math.cos((2 * Math.PI * hz * i) / 8000);
        im += value * Math.sin((2 * Math.PI * hz * i) / 8000);
      }
      worst = Math.max(worst, re * re + im * im);
    }
  }
  const tone = (amplitude * size) / 4; /* through the same window */
  return 10 * Math.log10(worst / (tone * tone) + 1e-12);
}

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

describe("the queue", () => {
  test("is replaced at once: all that plays and waits goes, with its reason", async () => {
    using line = await lifted();
    const first = line.play(noise(80_000, 1));
    const second = line.play(noise(80_000, 2));
    await line.phone.advance(500);
    const sound = noise(4000, 9);
    const third = line.play(sound, { mode: "replace" });
    expect((await line.phone.until(first.finished)).reason).toBe("replaced");
    expect(await line.phone.until(second.finished)).toEqual({ reason: "replaced", heardMs: 0 });
    expect(await line.phone.until(third.finished)).toEqual({ reason: "completed", heardMs: 500 });
    await line.phone.advance(60);
    const at = find(line.phone.handsets.ear(1, 5), sound);
    expect(at).toBeGreaterThan(-1);
    expect(line.phone.types().filter((type) => type.startsWith("playback"))).toEqual([
      "playback_started",
      "playback_finished:replaced",
      "playback_started",
      "playback_finished:completed",
    ]);
  });

  test("a refused replacement changes nothing", async () => {
    using line = await lifted();
    const playing = line.play(noise(8000));
    const refused = () => line.play(noise(800), { mode: "replace", gainDb: 99 });
    expect(await refusal(refused)).toBe("invalid_input");
    expect((await line.phone.until(playing.finished)).reason).toBe("completed");
  });

  test("one that is stopped leaves those behind it whole", async () => {
    using line = await lifted();
    const first = line.play(noise(40_000, 1));
    const sound = noise(4000, 2);
    const second = line.play(sound);
    await line.phone.advance(500);
    const stopped = await line.phone.until(line.playbacks.stop(first.playbackId));
    expect(stopped.reason).toBe("stopped");
    expect(await line.phone.until(second.finished)).toEqual({ reason: "completed", heardMs: 500 });
    await line.phone.advance(60);
    expect(find(line.phone.handsets.ear(1, 5), sound)).toBeGreaterThan(-1);
  });

  test("one that waits in the ring can be taken out: what plays and what is behind it follow without a seam", async () => {
    using line = await lifted();
    const sounds = Array.from({ length: 5 }, (_, i) => noise(4001, i + 1));
    const [first, second, third, fourth, fifth] = sounds.map((sound) => line.play(sound)) as Playback[];
    await line.phone.advance(300);
    for (const out of [fourth, second] as Playback[]) {
      expect(await line.phone.until(line.playbacks.stop(out.playbackId))).toMatchObject({ heardMs: 0 });
    }
    for (const stays of [first, third, fifth] as Playback[]) {
      expect(await line.phone.until(stays.finished)).toEqual({ reason: "completed", heardMs: 500 });
    }
    await line.phone.advance(60);
    const stayed = [0, 2, 4].flatMap((i) => [...(sounds[i] as Int16Array)]);
    expect(find(line.phone.handsets.ear(1, 5), Int16Array.from(stayed))).toBeGreaterThan(-1);
    const started = line.phone.told.filter(({ body }) => body.type === "playback_started");
    expect(started.map(({ atMs }) => Math.round(atMs - (started[0]?.atMs ?? 0)))).toEqual([0, 500, 1000]);
    expect(line.phone.exchange.diagnostics(1).io.playout_underruns).toBe(0);
  });

  test("stopped just when its turn comes, it ends, and what is behind it is heard", async () => {
    for (let ms = 440; ms <= 560; ms += 10) {
      using line = await lifted();
      line.play(noise(4000, 1));
      const second = line.play(noise(8000, 2));
      const sound = noise(2000, 3);
      const third = line.play(sound);
      await line.phone.advance(ms);
      expect((await line.phone.until(line.playbacks.stop(second.playbackId))).heardMs).toBeLessThanOrEqual(
        ms - 400,
      );
      expect(await line.phone.until(third.finished)).toEqual({ reason: "completed", heardMs: 250 });
      await line.phone.advance(60);
      expect(find(line.phone.handsets.ear(1, 3), sound)).toBeGreaterThan(-1);
    }
  });

  test("a queue whose ring is full of what was taken out plays on", async () => {
    using line = await lifted();
    line.play(noise(4000, 1));
    const long = line.play(noise(200_000, 2));
    await line.phone.advance(100);
    await line.phone.until(line.playbacks.stop(long.playbackId));
    const sound = noise(100_000, 3);
    expect((await line.phone.until(line.play(sound).finished)).reason).toBe("completed");
    await line.phone.advance(60);
    expect(find(line.phone.handsets.ear(1, 16), sound)).toBeGreaterThan(-1);
  });

  test("is listed: what plays, what waits, what ended last; the oldest are forgotten", async () => {
    using line = await lifted();
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) {
      const playback = line.play(noise(160, i + 1));
      ids.push(playback.playbackId);
      await line.phone.until(playback.finished);
    }
    const playing = line.play(noise(8000));
    const waiting = line.play(noise(8000));
    await line.phone.advance(300);
    const listed = line.playbacks.list(1);
    expect(listed.map(({ state }) => state)).toEqual(["playing", "waiting", ...Array(32).fill("finished")]);
    expect(listed.slice(0, 3).map(({ playbackId }) => playbackId)).toEqual([
      playing.playbackId,
      waiting.playbackId,
      ids[39] as string,
    ]);
    expect(Math.abs((listed[0]?.positionMs ?? 0) - 300)).toBeLessThanOrEqual(60);
    expect(await refusal(() => line.playbacks.find(ids[0] as string))).toBe("unknown_playback");
    expect(await refusal(() => line.playbacks.stop(ids[39] as string))).toBe("playback_finished");
    expect(await refusal(() => line.playbacks.list(9))).toBe("unknown_line");
  });

  test("and all over it stops together; a line that plays nothing is stopped as well", async () => {
    using line = await lifted();
    line.play(noise(80_000, 1));
    line.play(noise(80_000, 2));
    line.play(noise(80_000, 3), { mode: "mix" });
    await line.phone.advance(200);
    const stopped = await line.phone.until(line.playbacks.stopAll(1));
    expect(stopped.map(({ reason }) => reason)).toEqual(["stopped", "stopped", "stopped"]);
    expect(await line.phone.until(line.playbacks.stopAll(1))).toEqual([]);
    await line.phone.advance(100);
    const before = heard(line.phone).length;
    await line.phone.advance(500);
    expect(heard(line.phone).length).toBe(before);
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

describe("over it", () => {
  test("up to three sounds are mixed in, each with an end of its own; a fourth is refused", async () => {
    using line = await lifted();
    const under = noise(16_000, 1, 4000);
    const over = noise(4000, 2, 4000);
    const first = line.play(under);
    await line.phone.advance(500);
    const second = line.play(over, { mode: "mix" });
    for (let i = 0; i < 2; i++) line.play(new Int16Array(80_000), { mode: "mix" });
    expect(await refusal(() => line.play(over, { mode: "mix" }))).toBe("queue_full");
    expect(await line.phone.until(second.finished)).toEqual({ reason: "completed", heardMs: 500 });
    expect(await line.phone.until(first.finished)).toEqual({ reason: "completed", heardMs: 2000 });
    await line.phone.until(line.playbacks.stopAll(1));
    await line.phone.advance(60);
    const ear = line.phone.handsets.ear(1, 5);
    const at = find(ear, under.slice(0, 2000));
    expect(at).toBeGreaterThan(-1);
    const rest = under.map((sample, i) => (ear[at + i] as number) - sample);
    expect(find(rest, over)).toBeGreaterThan(-1);
  });
});

describe("barge-in", () => {
  const press = (phone: Stepped): Promise<void> =>
    phone.handsets.press(1, { digits: "5", onMs: 100, offMs: 60, levelDbm0: -10, twistDb: 0 });

  test("by a key ends it and what may be barged in behind it; the rest is heard whole", async () => {
    using line = await lifted();
    const first = line.play(noise(80_000, 1), { bargeIn: "dtmf" });
    const second = line.play(noise(80_000, 2), { bargeIn: "any" });
    const notice = noise(4000, 3);
    const third = line.play(notice);
    await line.phone.advance(500);
    await line.phone.until(press(line.phone));
    const end = await line.phone.until(first.finished);
    expect(end).toMatchObject({ reason: "barged", bargedBy: "dtmf" });
    expect(Math.abs(end.heardMs - 550)).toBeLessThanOrEqual(80);
    expect(await line.phone.until(second.finished)).toEqual({ reason: "barged", heardMs: 0, bargedBy: "dtmf" });
    expect(await line.phone.until(third.finished)).toEqual({ reason: "completed", heardMs: 500 });
    await line.phone.advance(200);
    expect(find(line.phone.handsets.ear(1, 5), notice)).toBeGreaterThan(-1);
    expect(
      line.phone.told.flatMap(({ body }) => (body.type === "playback_finished" ? [body] : []))[0],
    ).toMatchObject({
      reason: "barged",
      barged_by: "dtmf",
    });
    expect(line.phone.exchange.status(1).lastDtmf).toBe("5");
  });

  test("by a voice; a key does nothing to what only a voice may end", async () => {
    using line = await lifted();
    const playback = line.play(noise(80_000, 1, 1500), { bargeIn: "voice" });
    await line.phone.advance(500);
    await line.phone.until(press(line.phone));
    await line.phone.advance(300);
    expect(line.playbacks.find(playback.playbackId).state).toBe("playing");
    await line.phone.until(line.phone.handsets.speak(1, pcmSource(noise(8000, 3, 12_000))));
    expect(await line.phone.until(playback.finished)).toMatchObject({ reason: "barged", bargedBy: "voice" });
  });

  test("not where it was not asked for", async () => {
    using line = await lifted();
    const playback = line.play(noise(16_000, 1, 1500));
    await line.phone.until(press(line.phone));
    expect(await line.phone.until(playback.finished)).toEqual({ reason: "completed", heardMs: 2000 });
  });
});

describe("whatever is asked of it", () => {
  test.each([1, 2, 3, 4, 5, 6])(
    "each playback ends once, each start has its end, and the line plays on (%d)",
    async (seed) => {
      using line = await lifted();
      const { phone, playbacks } = line;
      const random = seeded(seed);
      const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
      const all: Playback[] = [];
      let hookIsOff = true;
      for (let i = 0; i < 300; i++) {
        const { playbackId } = all.length > 0 ? pick(all.slice(-6)) : { playbackId: "" };
        const act = pick([
          () => {
            const options = {
              mode: pick(["queue", "queue", "queue", "replace", "mix"] as const),
              gainDb: pick([0, 0, 6]),
              bargeIn: pick(["none", "none", "any"] as const),
              when: pick(["now", "off_hook"] as const),
            };
            all.push(line.play(noise(Math.floor(random() * 12_000), i + 1), options));
          },
          () => playbacks.pause(playbackId),
          () => playbacks.resume(playbackId),
          () => playbacks.seek(playbackId, random() * 1500),
          () => playbacks.stop(playbackId),
          () => (random() < 0.2 ? playbacks.stopAll(1) : undefined),
          () =>
            random() < 0.2
              ? phone.handsets.press(1, { digits: "1", onMs: 60, offMs: 60, levelDbm0: -8, twistDb: 0 })
              : undefined,
          () => {
            if (random() > 0.1) return undefined;
            hookIsOff = !hookIsOff;
            return hookIsOff ? phone.handsets.lift(1) : phone.handsets.hangUp(1);
          },
        ]);
        const asked = (async () => act())().catch((error: unknown) => {
          if (!(error instanceof Refusal)) throw error;
        });
        await (random() < 0.5 ? phone.until(asked) : phone.advance(20));
        await phone.advance(Math.floor(random() * 10) * 20);
      }
      if (!hookIsOff) await phone.until(phone.handsets.lift(1));
      await phone.until(playbacks.stopAll(1));
      for (const { finished } of all) await phone.until(finished, 100);
      expect(playbacks.list(1).every(({ state }) => state === "finished")).toBe(true);
      const open = new Set<string>();
      for (const { body } of phone.told) {
        if (body.type === "playback_started") open.add(body.playback_id);
        if (body.type === "playback_finished") expect(open.delete(body.playback_id)).toBe(true);
      }
      expect([...open]).toEqual([]);
      const sound = noise(9000, 999);
      expect(await phone.until(line.play(sound).finished)).toEqual({ reason: "completed", heardMs: 1125 });
      await phone.advance(60);
      expect(find(phone.handsets.ear(1, 5), sound)).toBeGreaterThan(-1);
    },
  );
});

describe("no click", () => {
  const AMPLITUDE = 16_000;
  const TONE_HZ = 440;
  /** Its own steepest step, and what is measured of it anywhere in its course. */
  const tone = sine(TONE_HZ, 10_000, AMPLITUDE);

  const cases: [string, (line: Awaited<ReturnType<typeof lifted>>) => Promise<void>][] = [
    [
      "at a stop",
      async ({ phone, play, playbacks }) => {
        const { playbackId } = play(tone);
        await phone.advance(503);
        await phone.until(playbacks.stop(playbackId));
      },
    ],
    [
      "at a pause and where it goes on",
      async ({ phone, play, playbacks }) => {
        const { playbackId } = play(tone);
        await phone.advance(507);
        await phone.until(playbacks.pause(playbackId));
        await phone.advance(300);
        await phone.until(playbacks.resume(playbackId));
        await phone.advance(300);
        await phone.until(playbacks.stop(playbackId));
      },
    ],
    [
      "at a seek",
      async ({ phone, play, playbacks }) => {
        const { playbackId } = play(tone);
        await phone.advance(509);
        await playbacks.seek(playbackId, 3000.7);
        await phone.advance(300);
        await phone.until(playbacks.stop(playbackId));
      },
    ],
    [
      "at a replacement",
      async ({ phone, play, playbacks }) => {
        play(tone);
        await phone.advance(511);
        play(tone.slice(5), { mode: "replace" });
        await phone.advance(300);
        await phone.until(playbacks.stopAll(1));
      },
    ],
    [
      "at a loop's seam, where the sound itself has none",
      async ({ phone, play, playbacks }) => {
        const { playbackId } = play(await whole(sine(TONE_HZ, 25 * 3, AMPLITUDE)), { loop: 0 });
        await phone.advance(1003);
        await phone.until(playbacks.stop(playbackId));
      },
    ],
  ];

  async function heardOf(act: (line: Awaited<ReturnType<typeof lifted>>) => Promise<void>): Promise<Int16Array> {
    using line = await lifted();
    await act(line);
    await line.phone.advance(100);
    const ear = line.phone.handsets.ear(1, 3);
    return ear.slice(Math.max(0, ear.findIndex((sample) => sample !== 0) - 200));
  }

  test.each(cases)("%s: no step that the tone has not, and 80 dB below it in other bands", async (_name, act) => {
    // A sine that begins at its zero crossing has an edge of its own, which stays: this is about ours.
    const ear = (await heardOf(act)).slice(400);
    expect(largestStep(ear)).toBeLessThanOrEqual(largestStep(tone));
    expect(clickDb(ear, TONE_HZ, AMPLITUDE)).toBeLessThan(-80);
  });

  test("where a sound begins and ends in the middle of a wave", async () => {
    const ear = await heardOf(
      async ({ phone, play }) => void (await phone.until(play(tone.slice(5, 8000 + 4)).finished)),
    );
    expect(largestStep(ear)).toBeLessThanOrEqual(largestStep(tone));
    expect(clickDb(ear, TONE_HZ, AMPLITUDE)).toBeLessThan(-42);
  });

  test("the measure sees one: the same tone, cut off hard", () => {
    const cut = Int16Array.from([...tone.slice(0, 4000 + 5), ...new Int16Array(1000)]);
    expect(largestStep(cut)).toBeGreaterThan(2 * largestStep(tone));
    expect(clickDb(cut, TONE_HZ, AMPLITUDE)).toBeGreaterThan(-34);
  });
});
