/** A recording from the microphone to the file, on a virtual clock: sample for sample. */
import { afterAll, describe, expect, test } from "bun:test";
import { bestLag } from "../../support/correlation";
import { recordingFolder } from "../../support/recordings";
import { find, noise, pcmSource, sine, stepped } from "../../support/stepped";
import { lifted, NO_COMPANDING, record, soundFile } from "./recorded_telephone";

/** A file that nobody closed is an error to whoever runs when it is collected: it should be ours. */
afterAll(() => Bun.gc(true));

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
