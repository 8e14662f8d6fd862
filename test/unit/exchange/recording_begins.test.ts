/** When a recording begins, and when it does not. */
import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { Refusal } from "../../../src/exchange/verbs";
import { recordingFolder } from "../../support/recordings";
import { refusal } from "../../support/refusal";
import { find, noise, pcmSource, stepped } from "../../support/stepped";
import { CLEAN, ended, finished, lifted, NO_COMPANDING, record, soundFile } from "./recorded_telephone";

/** A file that nobody closed is an error to whoever runs when it is collected: it should be ours. */
afterAll(() => Bun.gc(true));

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
