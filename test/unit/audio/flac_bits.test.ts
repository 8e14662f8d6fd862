/** FLAC to the bit: as loud as the WAV that it was made of, and never a decoder's infinity in somebody's ear. */
import { afterAll, expect, test } from "bun:test";
import type { AudioError } from "../../../src/audio/error";
import { openAudio } from "../../../src/audio/open";
import { SoundFiles } from "../../support/sound_files";
import { readArriving } from "../../support/stepped";
import { describeWith } from "../../support/with_programs";

const files = new SoundFiles();
afterAll(() => files[Symbol.dispose]());

const decoded = async (bytes: Uint8Array): Promise<Int16Array> => readArriving(await openAudio(bytes));

/** Full-scale noise: an error of scale shows in its largest samples. */
const noise = (bits: number, rateHz: number): string =>
  files.sox(
    ["-n", "-r", String(rateHz), "-c", "1", "-b", String(bits), "-e", bits === 8 ? "unsigned" : "signed"],
    ["synth", "0.3", "whitenoise"],
  );

function flac(wav: string, ...options: string[]): Uint8Array {
  const path = files.path("flac");
  files.run("flac", "--totally-silent", "--lax", ...options, wav, "-o", path);
  return files.bytes(path);
}

/** The description of the stream says so many bits instead; its frames are as they were. */
function described(bytes: Uint8Array, bits: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  view.setUint16(20, (view.getUint16(20) & ~0x1f0) | ((bits - 1) << 4));
  return copy;
}

describeWith(["sox", "flac"], "FLAC", () => {
  test.each([8, 16, 24, 32])("of %d bits is its WAV file, sample for sample", async (bits) => {
    const wav = noise(bits, 8000);
    const expected = await decoded(files.bytes(wav));
    expect(expected.length).toBe(2400);
    expect(await decoded(flac(wav))).toEqual(expected);
    expect(await decoded(flac(wav, "--ogg"))).toEqual(expected);
  });

  test("of a rate that only its head tells is read", async () => {
    const wav = noise(16, 96_001);
    expect(await decoded(flac(wav))).toEqual(await decoded(files.bytes(wav)));
  });

  test.each([4, 12, 20])("of %d bits is refused, with what to do", async (bits) => {
    const failure = await openAudio(described(flac(noise(16, 8000)), bits)).catch((error: AudioError) => error);
    expect(failure).toMatchObject({ code: "unsupported_format", message: expect.stringContaining("sox IN.flac") });
  });
});
