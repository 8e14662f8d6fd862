/** Files of every compressed kind under the verbs of a playback: what is heard minus what was decoded is nothing. */
import { afterAll, expect, test } from "bun:test";
import { KeptSource } from "../../../src/audio/kept_source";
import { openAudio } from "../../../src/audio/open";
import { ENCODERS, SoundFiles } from "../../support/sound_files";
import { find, readArriving } from "../../support/stepped";
import { describeWith } from "../../support/with_programs";
import { lifted } from "./listening_telephone";

const files = new SoundFiles();
afterAll(() => files[Symbol.dispose]());

/** Where a playback is cut, its last samples fall to silence, and its first ones rise: of so many at the most. */
const FADE_SAMPLES = 40;
/** Where it is paused is told to the block; no sample of it is lost. */
const BLOCK_SAMPLES = 160;
const FORMATS: readonly (readonly [format: string, rateHz: number, channels: number])[] = [
  ["flac", 44_100, 2],
  ["mp3", 22_050, 1],
  ["mp3", 48_000, 2],
  ["vorbis", 32_000, 2],
  ["opus", 48_000, 1],
  ["oggflac", 16_000, 2],
  ["au", 11_025, 1],
  ["wav", 96_000, 2],
];

const fileOf = (format: string, rateHz: number, channels: number, seconds = 2): Uint8Array =>
  files.bytes(files.encoded(format, files.original(rateHz, channels, seconds)));
const decoded = async (bytes: Uint8Array): Promise<Int16Array> => readArriving(await openAudio(bytes));

describeWith(ENCODERS, "the null test of a file", () => {
  test.each(FORMATS)("%s, %d Hz, %d channels: sought in, paused and looped", async (format, rateHz, channels) => {
    const bytes = fileOf(format, rateHz, channels);
    const sound = await decoded(bytes);
    expect(sound.length).toBe(16_000);
    using line = await lifted();
    const playback = line.play(await openAudio(bytes));
    await line.phone.advance(300);
    await line.playbacks.seek(playback.playbackId, 1500);
    await line.phone.advance(200);
    await line.playbacks.seek(playback.playbackId, 250);
    await line.phone.advance(300);
    const { positionMs } = await line.phone.until(line.playbacks.pause(playback.playbackId));
    await line.phone.advance(200);
    await line.phone.until(line.playbacks.resume(playback.playbackId));
    expect((await line.phone.until(playback.finished)).reason).toBe("completed");
    await line.phone.advance(60);
    const ear = line.phone.handsets.ear(1, 6);
    const cutAt = Math.round(positionMs * 8);
    const parts = [
      sound.slice(0, 240 * 8),
      sound.slice(1500 * 8 + FADE_SAMPLES, 1640 * 8),
      sound.slice(250 * 8 + FADE_SAMPLES, cutAt - BLOCK_SAMPLES),
      sound.slice(cutAt - BLOCK_SAMPLES + FADE_SAMPLES),
    ];
    const places = parts.map((part) => find(ear, part));
    expect(places.every((place, i) => place > (places[i - 1] ?? -1))).toBe(true);

    const kept = new KeptSource(await openAudio(bytes));
    expect(await kept.gather()).toBe("whole");
    const looped = line.play(kept, { loop: 2 });
    expect(await line.phone.until(looped.finished)).toEqual({ reason: "completed", heardMs: 4000 });
    await line.phone.advance(60);
    expect(find(line.phone.handsets.ear(1, 5), Int16Array.from([...sound, ...sound]))).toBeGreaterThan(-1);
  });

  test("two files of other rates and gains, one mixed over the other, are the sum of both", async () => {
    const under = fileOf("mp3", 44_100, 2);
    const over = fileOf("flac", 16_000, 1, 0.5);
    using line = await lifted();
    const first = line.play(await openAudio(under), { gainDb: 0 });
    await line.phone.advance(500);
    const second = line.play(await openAudio(over), { mode: "mix", gainDb: -12 });
    expect(await line.phone.until(second.finished)).toEqual({ reason: "completed", heardMs: 500 });
    expect(await line.phone.until(first.finished)).toEqual({ reason: "completed", heardMs: 2000 });
    await line.phone.advance(60);
    const low = await decoded(under);
    const high = await decoded(over);
    const ear = line.phone.handsets.ear(1, 5);
    const at = find(ear, low.slice(0, 3000));
    expect(at).toBeGreaterThan(-1);
    // What is left when the one is taken away is the other, to the rounding, and nothing before and behind it.
    const rest = low.map((sample, i) => (ear[at + i] as number) - sample);
    const begin = rest.findIndex((sample) => sample !== 0);
    const gain = 10 ** (-12 / 20);
    const errorFrom = (from: number): number =>
      high.reduce((worst, sample, i) => Math.max(worst, Math.abs(sample * gain - (rest[from + i] ?? 0))), 0);
    const soft = high.findIndex((sample) => Math.abs(sample * gain) > 0.5);
    expect(errorFrom(begin - soft)).toBeLessThanOrEqual(0.51);
    expect(rest.subarray(begin - soft + high.length).every((sample) => sample === 0)).toBe(true);
  });
});
