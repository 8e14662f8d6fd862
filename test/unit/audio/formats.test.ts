import { afterAll, describe, expect, test } from "bun:test";
import { ByteStream } from "../../../src/audio/byte_stream";
import { AudioError } from "../../../src/audio/error";
import { openAudio } from "../../../src/audio/open";
import { compare, ENCODERS, mutated, resealed, SoundFiles, seeded } from "../../support/sound_files";
import { readArriving } from "../../support/stepped";

const missing = ENCODERS.filter((name) => Bun.which(name) === null);
const suite = missing.length > 0 ? describe.skip : describe;
const files = new SoundFiles();
afterAll(() => files[Symbol.dispose]());

const decoded = async (bytes: Uint8Array): Promise<Int16Array> => readArriving(await openAudio(bytes));

const RATES = [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000];
const COMPRESSED = ["mp3", "vorbis", "opus", "flac", "oggflac"];
/** Least SNR against the original: lossless ones by 16 bits, the others by what their encoders leave. */
const LEAST_SNR_DB: Record<string, number> = { mp3: 35, vorbis: 25, opus: 20, flac: 70, oggflac: 70 };
const ENCODINGS: readonly (readonly [name: string, options: string[], leastSnrDb: number, ending: string])[] = [
  ["8-bit WAV", ["-e", "unsigned", "-b", "8"], 38, "wav"],
  ["16-bit WAV", ["-e", "signed", "-b", "16"], 70, "wav"],
  ["24-bit WAV", ["-e", "signed", "-b", "24"], 70, "wav"],
  ["32-bit WAV", ["-e", "signed", "-b", "32"], 70, "wav"],
  ["float WAV", ["-e", "float", "-b", "32"], 70, "wav"],
  ["double WAV", ["-e", "float", "-b", "64"], 70, "wav"],
  ["mu-law WAV", ["-e", "mu-law"], 34, "wav"],
  ["A-law WAV", ["-e", "a-law"], 34, "wav"],
  ["8-bit AU", ["-e", "signed", "-b", "8"], 38, "au"],
  ["16-bit AU", ["-e", "signed", "-b", "16"], 70, "au"],
  ["24-bit AU", ["-e", "signed", "-b", "24"], 70, "au"],
  ["32-bit AU", ["-e", "signed", "-b", "32"], 70, "au"],
  ["float AU", ["-e", "float", "-b", "32"], 70, "au"],
  ["mu-law AU", ["-e", "mu-law"], 34, "au"],
  ["A-law AU", ["-e", "a-law"], 34, "au"],
];

suite(`files of other programs${missing.length > 0 ? ` (missing: ${missing.join(", ")})` : ""}`, () => {
  for (const channels of [1, 2]) {
    for (const rateHz of RATES) {
      test(`${rateHz} Hz, ${channels} channels: every encoding sounds as the original, at its time`, async () => {
        const original = files.original(rateHz, channels);
        const reference = files.reference(original);
        for (const [name, options, leastSnrDb, ending] of ENCODINGS) {
          const heard = await decoded(files.bytes(files.sox([original], [], options, ending)));
          const { lag, snrDb, gain } = compare(heard, reference);
          expect([name, heard.length, lag]).toEqual([name, 16_000, 0]);
          expect([name, snrDb > leastSnrDb, snrDb]).toEqual([name, true, snrDb]);
          expect(Math.abs(20 * Math.log10(gain))).toBeLessThan(0.05);
        }
        for (const format of COMPRESSED) {
          if (format === "mp3" && rateHz > 48_000) continue; // the format has none
          const heard = await decoded(files.bytes(files.encoded(format, original)));
          const { lag, snrDb, gain } = compare(heard, reference);
          expect([format, Math.abs(heard.length - 16_000) <= 1, lag]).toEqual([format, true, 0]);
          expect([format, snrDb > (LEAST_SNR_DB[format] ?? 0), snrDb]).toEqual([format, true, snrDb]);
          // lame makes everything 0.45 dB softer.
          expect(Math.abs(20 * Math.log10(gain / (format === "mp3" ? 0.95 : 1)))).toBeLessThan(0.3);
        }
      });
    }
  }

  test("a stream of small pieces sounds as the whole file", async () => {
    const original = files.original(44_100, 2, 1);
    for (const path of [original, ...COMPRESSED.map((format) => files.encoded(format, original))]) {
      const bytes = files.bytes(path);
      const stream = new ByteStream();
      const opened = openAudio(stream);
      for (let at = 0; at < bytes.length; at += 777) {
        stream.push(bytes.subarray(at, at + 777));
        if (at % 20 === 0) await Bun.sleep(0);
      }
      stream.end();
      expect(await readArriving(await opened)).toEqual(await decoded(bytes));
    }
  });

  test("codecs that no library here reads are refused by name", async () => {
    const original = files.original(8000, 1, 1);
    for (const [options, name] of [
      [["-e", "ima-adpcm"], "IMA ADPCM"],
      [["-e", "ms-adpcm"], "MS ADPCM"],
      [["-e", "gsm-full-rate"], "GSM"],
    ] as const) {
      const opened = openAudio(files.bytes(files.sox([original], [], [...options], "wav")));
      expect(opened).rejects.toThrow(name);
      await opened.catch(({ code }) => expect(code).toBe("unsupported_format"));
    }
  });

  test("what is cut off is refused, or ends", async () => {
    const original = files.original(16_000, 1, 2);
    const outcomes: Record<string, string> = {};
    for (const format of ["wav", "au", ...COMPRESSED]) {
      const bytes = files.bytes(files.encoded(format, original));
      outcomes[format] = await outcome(bytes.subarray(0, Math.floor(bytes.length / 2) + 1));
    }
    expect(outcomes).toEqual({
      wav: "truncated",
      au: "truncated",
      flac: "malformed",
      oggflac: "malformed",
      mp3: "played", // it says nowhere how long it is
      vorbis: "malformed",
      opus: "malformed",
    });
  });

  for (const format of ["wav", "au", ...COMPRESSED]) {
    test(`300 mutations of ${format} are refused or played, and nothing else`, async () => {
      const bytes = files.bytes(files.encoded(format, files.original(16_000, 2, 0.5)));
      const random = seeded(format.length * 7919);
      const outcomes: Record<string, number> = {};
      for (let i = 0; i < 300; i++) {
        const changed = mutated(bytes, random);
        // Half of the Ogg files with their checksums mended: what is wrong in them then reaches the decoders.
        const ended = await outcome(i % 2 === 0 ? changed : resealed(changed));
        outcomes[ended] = (outcomes[ended] ?? 0) + 1;
      }
      const known = ["played", "malformed", "truncated", "unsupported_format", "odd_length", "empty", "too_long"];
      expect(Object.keys(outcomes).filter((name) => !known.includes(name))).toEqual([]);
      expect(Object.keys(outcomes).length).toBeGreaterThan(1);
    });
  }

  test("bytes at random behind every format's first ones", async () => {
    const random = seeded(99);
    for (const head of [
      "RIFF\0\0\0\0WAVEfmt ",
      ".snd",
      "fLaC\0\0\0\x22",
      "OggS\0\x02",
      "ID3\x03\0\0\0\0\0\x05",
      "\xff\xfb\x90\0",
    ]) {
      for (let i = 0; i < 50; i++) {
        const noise = Uint8Array.from({ length: 5000 }, () => Math.floor(random() * 256));
        noise.set(Uint8Array.from(head, (character) => character.charCodeAt(0)));
        expect(await outcome(noise)).toMatch(/^(played|malformed|truncated|unsupported_format)$/);
      }
    }
  });
});

async function outcome(bytes: Uint8Array): Promise<string> {
  try {
    const source = await openAudio(bytes);
    const samples = await readArriving(source);
    expect(samples.length).toBeLessThan(8000 * 60 * 20);
    return "played";
  } catch (error) {
    if (error instanceof AudioError) return error.code;
    throw error;
  }
}
