/** No click where a playback begins, ends or goes on elsewhere. */
import { describe, expect, test } from "bun:test";
import { clickDb, largestStep } from "../../support/clicks";
import { sine } from "../../support/stepped";
import { lifted, whole } from "./listening_telephone";

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
