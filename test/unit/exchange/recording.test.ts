/** A recording from the microphone to the file, on a virtual clock: sample for sample. */
import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type RecordRequest, Refusal } from "../../../src/exchange/verbs";
import { RecordingStoreError } from "../../../src/recordings/recording";
import { bestLag } from "../../support/correlation";
import { type RecordingFolder, recordingFolder, soundOf } from "../../support/recordings";
import { eventually } from "../../support/server";
import { find, noise, pcmSource, type Stepped, sine, stepped } from "../../support/stepped";

const KEYS = { onMs: 100, offMs: 100, levelDbm0: -10, twistDb: 0 };
/** Nothing on the line but what is said: then the recording is that, bit for bit, after the card's companding. */
const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000 } as const;
const NO_COMPANDING = { ...CLEAN, SimCompanding: 0 } as const;

/** A file that nobody closed is an error to whoever runs when it is collected: it should be ours. */
afterAll(() => Bun.gc(true));

const refusal = async (attempt: () => Promise<unknown>): Promise<string> => {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof Refusal || error instanceof RecordingStoreError) return error.code;
    throw error;
  }
  return "worked";
};

const ended = (phone: Stepped, line = 1) =>
  phone.told.flatMap(({ line: of, body }) => (of === line && body.type === "recording_finished" ? [body] : []));

const soundFile = (kept: RecordingFolder, id: string) =>
  soundOf(new Uint8Array(readFileSync(join(kept.folder, `${id}.wav`))));

/** Waits for the end by the telephone's clock. */
async function finished(phone: Stepped, limitMs = 60_000) {
  for (let spent = 0; ended(phone).length === 0; spent += 100) {
    if (spent > limitMs) throw new Error(`not finished: ${phone.types().join(" ")}`);
    await phone.advance(100);
    await Bun.sleep(1); // the disk has a clock of its own
  }
  return ended(phone)[0] as ReturnType<typeof ended>[number];
}

async function lifted(kept: RecordingFolder, options: Parameters<typeof stepped>[0] = {}) {
  const phone = await stepped({ engine: CLEAN, recordings: kept.store, ...options });
  await phone.until(phone.handsets.lift(1));
  await phone.advance(300);
  return phone;
}

const record = async (phone: Stepped, request: Omit<RecordRequest, "when"> & { when?: "off_hook" } = {}) =>
  (await phone.exchange.record(1, { when: "now", ...request })).recordingId;

describe("what is recorded", () => {
  test("is what was said, sample for sample", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: NO_COMPANDING });
    const said = noise(24_000, 5);
    const id = await record(phone);
    await phone.until(phone.handsets.speak(1, pcmSource(said)));
    await phone.advance(500);
    const done = await phone.exchange.stopRecording(1);
    const { caller, played } = soundFile(kept, id);
    const at = find(caller, said);
    expect(at).toBeGreaterThanOrEqual(0);
    expect(played).toBeNull();
    // Nothing before it, nothing after it.
    expect(caller.subarray(0, at).every((sample) => sample === 0)).toBe(true);
    expect(caller.subarray(at + said.length).every((sample) => sample === 0)).toBe(true);
    expect(done).toMatchObject({ id, reason: "stopped", state: "finished", lostMs: 0, source: "caller" });
    expect(done.bytes).toBe(44 + caller.length * 2);
    expect(done.durationMs).toBe(caller.length / 8);
  });

  test("is that through the card's mu-law too", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept);
    const said = noise(8000, 6);
    const id = await record(phone);
    await phone.until(phone.handsets.speak(1, pcmSource(said)));
    await phone.advance(200);
    await phone.exchange.stopRecording(1);
    const { caller } = soundFile(kept, id);
    const { lag, likeness } = bestLag(caller.subarray(0, 12_000), said.subarray(0, 4000));
    expect(likeness).toBeGreaterThan(0.999);
    // Mu-law's steps are a 16th of the segment at most: no sample is further from what was said.
    for (let i = 0; i < said.length; i++) {
      const error = Math.abs((caller[lag + i] as number) - (said[i] as number));
      expect(error).toBeLessThanOrEqual(Math.abs(said[i] as number) / 32 + 8);
    }
  });

  test("is stereo where both are wanted: the caller left, what is played right, in the same time", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: { ...NO_COMPANDING, SimEchoCdb: 2000 } });
    const heard = noise(16_000, 7);
    const id = await record(phone, { source: "both" });
    const playback = phone.exchange.play(1, pcmSource(heard), { when: "now" });
    await phone.until(playback.finished);
    await phone.advance(200);
    const done = await phone.exchange.stopRecording(1);
    const { caller, played } = soundFile(kept, id);
    if (!played) throw new Error("mono");
    const at = find(played, heard);
    expect(at).toBeGreaterThanOrEqual(0);
    // The hybrid's echo of it in the caller's channel comes a block later.
    const { lag, likeness } = bestLag(caller.subarray(at, at + 4160), heard.subarray(0, 4000));
    expect(likeness).toBeGreaterThan(0.99);
    expect(lag).toBeLessThanOrEqual(160);
    expect(done.bytes).toBe(44 + caller.length * 4);
  });

  test("may be what is played alone", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: NO_COMPANDING });
    const heard = noise(8000, 8);
    const id = await record(phone, { source: "played" });
    await phone.until(phone.exchange.play(1, pcmSource(heard), { when: "now" }).finished);
    await phone.exchange.stopRecording(1);
    expect(find(soundFile(kept, id).caller, heard)).toBeGreaterThanOrEqual(0);
  });

  test("leaves pauses out, and joins what is around them", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: NO_COMPANDING });
    const parts = [noise(8000, 1), noise(8000, 2), noise(8000, 3)] as const;
    const id = await record(phone);
    await phone.until(phone.handsets.speak(1, pcmSource(parts[0])));
    await phone.advance(40);
    expect(phone.exchange.pauseRecording(1)).toMatchObject({ state: "paused" });
    await phone.until(phone.handsets.speak(1, pcmSource(parts[1])));
    await phone.advance(40);
    expect(phone.exchange.resumeRecording(1).state).toBe("recording");
    await phone.until(phone.handsets.speak(1, pcmSource(parts[2])));
    await phone.advance(40);
    await phone.exchange.stopRecording(1);
    const { caller } = soundFile(kept, id);
    expect(find(caller, parts[0])).toBeGreaterThanOrEqual(0);
    expect(find(caller, parts[1].subarray(0, 200))).toBe(-1);
    expect(find(caller, parts[2])).toBeGreaterThan(8000);
    expect(caller.length).toBeLessThan(16_000 + 1600);
  });

  test("says where sound was lost because nobody read it", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: NO_COMPANDING });
    const id = await record(phone);
    await phone.advance(1000);
    phone.engine.step(13_000); // JavaScript stands still
    await phone.advance(1000);
    const { lostMs, durationMs } = await phone.exchange.stopRecording(1);
    expect(lostMs).toBeGreaterThan(2000);
    expect(lostMs).toBeLessThan(3500);
    expect(phone.exchange.diagnostics(1).io.tap_lost_blocks * 20).toBe(lostMs);
    // The time of it passes in silence.
    expect(Math.abs(durationMs - 15_000)).toBeLessThanOrEqual(60);
    expect(soundFile(kept, id).caller.length).toBe(durationMs * 8);
  });
});

describe("a recording ends", () => {
  test("at its longest, to the sample", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept);
    const id = await record(phone, { maxDurationMs: 1234 });
    expect(await finished(phone)).toMatchObject({
      reason: "max_duration",
      duration_ms: 1234,
      bytes: 44 + 1234 * 16,
    });
    expect(soundFile(kept, id).caller.length).toBe(1234 * 8);
    expect(await refusal(() => phone.exchange.stopRecording(1))).toBe("not_recording");
  });

  test("after so much silence, and not in a pause for breath", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: { SimNoiseCdbm0: -6500 } });
    const voice = noise(12_000, 3, 6000);
    await record(phone, { silenceTimeoutMs: 2000 });
    await phone.advance(1000);
    await phone.until(phone.handsets.speak(1, pcmSource(voice)));
    await phone.advance(1500);
    await phone.until(phone.handsets.speak(1, pcmSource(voice)));
    expect(ended(phone)).toEqual([]);
    const { reason, duration_ms } = await finished(phone);
    expect(reason).toBe("silence");
    // 1 s, voice, 1.5 s, voice, 2 s; the speeches begin with a block.
    const expected = 1000 + 1500 + 1500 + 1500 + 2000;
    expect(Math.abs(duration_ms - expected)).toBeLessThanOrEqual(150);
  });

  test("after silence from the beginning, to the sample", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept);
    await record(phone, { silenceTimeoutMs: 700 });
    expect(await finished(phone)).toMatchObject({ reason: "silence", duration_ms: 700 });
  });

  test("keys are no silence", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept);
    await record(phone, { silenceTimeoutMs: 1000, finishOnKey: "#" });
    for (let i = 0; i < 4; i++) {
      await phone.advance(500);
      await phone.until(phone.handsets.press(1, { ...KEYS, digits: "1" }));
    }
    expect(ended(phone)).toEqual([]);
    expect((await finished(phone)).reason).toBe("silence");
  });

  test.each([
    ["#", "12#"],
    ["any", "5"],
    ["123", "3"],
  ])("at the key %s, of which nothing is heard", async (finishOnKey, digits) => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: NO_COMPANDING });
    const said = noise(8000, 4);
    const id = await record(phone, { finishOnKey });
    await phone.until(phone.handsets.speak(1, pcmSource(said)));
    await phone.advance(300);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits }));
    // At once, and not with the next half second.
    expect(
      (
        await eventually(
          () => ended(phone),
          ({ length }) => length === 1,
        )
      )[0]?.reason,
    ).toBe("finish_key");
    const { caller } = soundFile(kept, id);
    expect(find(caller, said)).toBeGreaterThanOrEqual(0);
    const last = caller.subarray(caller.length - 400);
    expect(last.every((sample) => sample === 0)).toBe(true);
    // The key itself was told as ever, before the end.
    const types = phone.types();
    expect(types.lastIndexOf("dtmf")).toBeLessThan(types.indexOf("recording_finished:finish_key"));
  });

  test("untrimmed, with the key in it", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: NO_COMPANDING });
    const id = await record(phone, { finishOnKey: "#", trim: false });
    await phone.advance(300);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "#" }));
    await finished(phone);
    const { caller } = soundFile(kept, id);
    expect(caller.subarray(caller.length - 400).some((sample) => Math.abs(sample) > 3000)).toBe(true);
  });

  test("when the telephone is hung up, at that moment and without the hook's noise", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: NO_COMPANDING });
    const ids: string[] = [];
    const lengths: number[] = [];
    for (const trim of [true, false]) {
      ids.push(await record(phone, { trim }));
      await phone.until(phone.handsets.speak(1, pcmSource(noise(8000, 9))));
      await phone.advance(1000);
      await phone.until(phone.handsets.hangUp(1));
      await phone.advance(1500);
      await eventually(
        () => ended(phone).length,
        (count) => count === ids.length,
      );
      lengths.push(soundFile(kept, ids.at(-1) ?? "").caller.length / 8);
      await phone.until(phone.handsets.lift(1));
      await phone.advance(300);
    }
    expect(ended(phone).map(({ reason }) => reason)).toEqual(["hung_up", "hung_up"]);
    const [trimmed = 0, whole = 0] = lengths;
    // A second of voice, a second of silence; the driver was sure of it 800 ms later, which nobody wants to hear.
    expect(Math.abs(whole - 2000)).toBeLessThanOrEqual(60);
    expect(Math.abs(whole - trimmed - 100)).toBeLessThanOrEqual(40);
  });

  test("with its line, and keeps what it has", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept);
    const id = await record(phone);
    await phone.advance(2000);
    await phone.until(phone.handsets.plug(1, false));
    expect((await finished(phone)).reason).toBe("error");
    expect(soundFile(kept, id).caller.length).toBeGreaterThan(15_000);
  });

  test("and the next may begin", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept);
    const first = await record(phone);
    expect(await refusal(() => phone.exchange.record(1, { when: "now" }))).toBe("recording_active");
    await phone.advance(500);
    await phone.exchange.stopRecording(1);
    const second = await record(phone);
    await phone.advance(500);
    await phone.exchange.stopRecording(1);
    expect((await kept.store.list(null)).map(({ id }) => id)).toEqual([first, second]);
    expect(kept.complaints).toEqual([]);
    expect(readdirSync(kept.folder).sort()).toEqual(
      [first, second].flatMap((id) => [`${id}.json`, `${id}.wav`]).sort(),
    );
  });
});

describe("a recording begins", () => {
  test("after the beep, which is not in it, behind the greeting", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { engine: NO_COMPANDING });
    const greeting = noise(8000, 11);
    phone.exchange.play(1, pcmSource(greeting), { when: "now" });
    const id = await record(phone, { beep: true, source: "both" });
    expect((await kept.store.get(id)).state).toBe("waiting");
    await phone.advance(1000);
    expect(phone.types()).not.toContain("recording_started");
    await phone.advance(500);
    expect(phone.types()).toContain("recording_started");
    await phone.advance(500);
    const { durationMs } = await phone.exchange.stopRecording(1);
    // 2 s less 1 s of greeting and 250 ms of beep.
    expect(Math.abs(durationMs - 750)).toBeLessThanOrEqual(60);
    const { played } = soundFile(kept, id);
    expect(played?.every((sample) => sample === 0)).toBe(true);
    const ear = phone.handsets.ear(1, 3);
    expect(find(ear, greeting)).toBeGreaterThanOrEqual(0);
  });

  test.each([
    ["greeting", 500],
    ["beep", 2100],
  ])("not, where the telephone is hung up during the %s: told, and no file", async (what, afterMs) => {
    using kept = recordingFolder();
    using phone = await lifted(kept);
    phone.exchange.play(1, pcmSource(noise(16_000)), { when: "now" });
    const id = await record(phone, { beep: true });
    await phone.advance(afterMs);
    await phone.until(phone.handsets.hangUp(1));
    expect(await finished(phone)).toMatchObject({ recording_id: id, reason: "hung_up", duration_ms: 0, bytes: 0 });
    // The loop opened during the beep, and the driver was sure of it only after that: then it had begun.
    expect(phone.types().includes("recording_started")).toBe(what === "beep");
    expect(readdirSync(kept.folder)).toEqual([]);
    expect(await refusal(() => kept.store.get(id))).toBe("unknown_recording");
  });

  test("with the lift, where it was told to wait for it", async () => {
    using kept = recordingFolder();
    using phone = await stepped({ engine: CLEAN, recordings: kept.store });
    expect(await refusal(() => phone.exchange.record(1, { when: "now" }))).toBe("line_on_hook");
    const id = await record(phone, { when: "off_hook" });
    await phone.advance(1000);
    expect(await kept.store.get(id)).toMatchObject({ state: "waiting", bytes: 0 });
    expect(await refusal(async () => phone.exchange.pauseRecording(1))).toBe("not_recording");
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1000);
    expect(await kept.store.get(id)).toMatchObject({ state: "recording" });
    const { durationMs } = await phone.exchange.stopRecording(1);
    expect(Math.abs(durationMs - 1000)).toBeLessThanOrEqual(60);
  });

  test("with the answer, where it rings; not, where nobody answers", async () => {
    using kept = recordingFolder();
    using phone = await stepped({ engine: CLEAN, recordings: kept.store });
    await phone.until(phone.exchange.ring(1, { pattern: "SINGLE" }));
    await record(phone);
    await phone.advance(2000);
    expect(ended(phone)).toMatchObject([{ reason: "stopped", bytes: 0 }]);
    await phone.until(phone.exchange.ring(1, {}));
    await record(phone);
    await phone.advance(500);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(500);
    expect((await phone.exchange.stopRecording(1)).durationMs).toBeGreaterThan(400);
  });

  test("and silences the dial tone, and no reorder tone comes into it", async () => {
    using kept = recordingFolder();
    using phone = await stepped({
      engine: NO_COMPANDING,
      recordings: kept.store,
      lineSettings: {
        dialTone: { timeoutMs: 20_000 },
        offHookTimeout: { afterMs: 3000, reorderMs: 30_000, howlerMs: 0 },
      },
    });
    const id = await record(phone, { when: "off_hook", source: "played" });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(6000);
    await phone.exchange.stopRecording(1);
    expect(phone.types()).not.toContain("off_hook_timeout");
    expect(
      soundFile(kept, id)
        .caller.subarray(800)
        .every((sample) => sample === 0),
    ).toBe(true);
  });

  test("not with a wrong wish, and every one is named", async () => {
    using kept = recordingFolder();
    using phone = await lifted(kept, { maxRecordingMs: 60_000 });
    const wrong = { when: "now", maxDurationMs: 60_001, silenceTimeoutMs: 10, finishOnKey: "x" } as const;
    const error = await phone.exchange.record(1, wrong).catch((reason: unknown) => reason);
    if (!(error instanceof Refusal)) throw new Error("taken");
    expect(error.fields.map(({ field }) => field)).toEqual(["max_duration", "silence_timeout", "finish_on_key"]);
    expect(await kept.store.list(null)).toEqual([]);
    expect(await record(phone)).toBeString();
    await phone.exchange.closeRecordings();
  });

  test("not without a folder", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    expect(await refusal(() => phone.exchange.record(1, { when: "now" }))).toBe("recordings_unavailable");
  });
});

test("lines are recorded apart", async () => {
  using kept = recordingFolder();
  using phone = await stepped({ ports: 2, engine: NO_COMPANDING, recordings: kept.store });
  const said = [noise(8000, 21), sine(440, 1000)] as const;
  for (const line of [1, 2]) await phone.until(phone.handsets.lift(line));
  const ids = await Promise.all([1, 2].map((line) => phone.exchange.record(line, { when: "now" })));
  await phone.until(
    Promise.all([1, 2].map((line) => phone.handsets.speak(line, pcmSource(said[line - 1] as Int16Array)))),
  );
  await phone.advance(100);
  await phone.exchange.closeRecordings();
  for (const [i, { recordingId }] of ids.entries()) {
    expect(find(soundFile(kept, recordingId).caller, said[i] as Int16Array)).toBeGreaterThanOrEqual(0);
  }
});
