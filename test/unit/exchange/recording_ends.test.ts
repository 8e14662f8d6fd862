/** When a recording ends, and what is kept of that moment. */
import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { recordingFolder } from "../../support/recordings";
import { refusal } from "../../support/refusal";
import { eventually } from "../../support/server";
import { find, noise, pcmSource } from "../../support/stepped";
import { ended, finished, KEYS, lifted, NO_COMPANDING, record, soundFile } from "./recorded_telephone";

/** A file that nobody closed is an error to whoever runs when it is collected: it should be ours. */
afterAll(() => Bun.gc(true));

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
