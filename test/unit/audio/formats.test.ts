import { afterAll, expect, test } from "bun:test";
import { ByteStream } from "../../../src/audio/byte_stream";
import { AudioError } from "../../../src/audio/error";
import { openAudio } from "../../../src/audio/open";
import { compare, ENCODERS, mutated, resealed, SoundFiles, seeded } from "../../support/sound_files";
import { readArriving } from "../../support/stepped";
import { describeWith } from "../../support/with_programs";

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

describeWith(ENCODERS, "files of other programs", () => {
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

  test("a codec that nothing here reads is refused by name", async () => {
    const original = files.original(8000, 1, 1);
    const opened = openAudio(files.bytes(files.sox([original], [], ["-e", "gsm-full-rate"], "wav")));
    expect(opened).rejects.toThrow("GSM 6.10: send PCM (sox IN.wav -e signed -b 16 OUT.wav");
    await opened.catch(({ code }) => expect(code).toBe("unsupported_format"));
  });

  for (const encoding of ["ima-adpcm", "ms-adpcm"]) {
    for (const channels of [1, 2]) {
      test(`${encoding}, ${channels} channels, comes out as sox decodes it, sample for sample`, async () => {
        const original = files.original(8000, channels, 1.234);
        const path = files.sox([original], [], ["-e", encoding], "wav");
        const raw = files.sox([path], [], ["-e", "signed", "-b", "16", "-L"], "raw");
        const interleaved = new Int16Array(files.bytes(raw).slice().buffer);
        const heard = await decoded(files.bytes(path));
        expect(heard.length).toBe(9872); // and not the rest of the last block
        for (let i = 0, worst = 0; i < heard.length; i++) {
          let sum = 0;
          for (let channel = 0; channel < channels; channel++)
            sum += interleaved[i * channels + channel] as number;
          worst = Math.max(worst, Math.abs((heard[i] as number) - sum / channels));
          if (i === heard.length - 1) expect(worst).toBeLessThanOrEqual(channels === 1 ? 0 : 0.5);
        }
      });
    }
    test(`${encoding} that is cut off anywhere is refused, and of a stream it is heard so far`, async () => {
      const bytes = files.bytes(files.sox([files.original(8000, 1, 0.5)], [], ["-e", encoding], "wav"));
      for (let cut = 100; cut < bytes.length; cut += 97) {
        expect(await outcome(bytes.subarray(0, cut))).toBe("truncated");
        const stream = new ByteStream();
        stream.push(bytes.subarray(0, cut));
        stream.end();
        const source = await openAudio(stream).catch((error: AudioError) => error.code);
        if (typeof source === "string") expect(source).toBe("truncated");
        else expect(readArriving(source)).rejects.toThrow("ends before its sound does");
      }
    });
  }

  test("WAV with the most significant byte first, and with lengths of 64 bits, is the same sound", async () => {
    const original = files.original(8000, 2, 0.5);
    const plain = files.bytes(files.sox([original], [], ["-b", "16"], "wav"));
    const expected = await decoded(plain);
    expect(await decoded(files.bytes(files.sox([original], [], ["-b", "16", "-B"], "wav")))).toEqual(expected);
    for (const name of ["RF64", "BW64"]) {
      const sound = plain.subarray(44);
      const lengths = new DataView(new ArrayBuffer(36));
      for (const [i, byte] of [...new TextEncoder().encode("ds64")].entries()) lengths.setUint8(i, byte);
      lengths.setUint32(4, 28, true);
      lengths.setBigUint64(16, BigInt(sound.length), true);
      const none = Uint8Array.of(255, 255, 255, 255);
      const head = new TextEncoder().encode(name);
      const chunks = [
        head,
        none,
        plain.subarray(8, 12),
        new Uint8Array(lengths.buffer),
        plain.subarray(12, 40),
        none,
      ];
      const file = new Uint8Array(await new Blob([...chunks, sound].map((each) => each.slice())).arrayBuffer());
      expect(await decoded(file)).toEqual(expected);
      expect(await outcome(file.subarray(0, -2))).toBe("truncated");
    }
  });

  test("12 bits in two bytes and 20 in three are the upper ones", async () => {
    const original = files.original(8000, 1, 0.5);
    for (const [stored, bits] of [
      [16, 12],
      [24, 20],
    ]) {
      const file = files.bytes(files.sox([original], [], ["-b", String(stored), "-t", "wavpcm"], "wav")).slice();
      const expected = await decoded(file.slice());
      const view = new DataView(file.buffer);
      expect(view.getUint16(34, true)).toBe(stored as number);
      view.setUint16(34, bits as number, true);
      expect(await decoded(file)).toEqual(expected);
    }
  });

  test("what was written into a pipe says no length that counts: all that comes is heard", async () => {
    const bytes = files.bytes(files.sox([files.original(8000, 1, 0.5)], [], ["-b", "16"], "wav")).slice();
    const expected = await decoded(bytes.slice());
    const { stdout } = Bun.spawnSync([
      "sox",
      "-n",
      "-r",
      "8000",
      "-b",
      "16",
      "-t",
      "wav",
      "-",
      "synth",
      "0.5",
      "sine",
      "440",
    ]);
    expect((await decoded(new Uint8Array(stdout))).length).toBe(4000);
    for (const promised of [0, 0x7ffff000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]) {
      new DataView(bytes.buffer).setUint32(40, promised, true);
      expect(await decoded(bytes)).toEqual(expected);
      const stream = new ByteStream();
      stream.push(bytes);
      stream.end();
      expect(await readArriving(await openAudio(stream))).toEqual(expected);
    }
  });

  test("files of other kinds, pages and pictures are no noise in the ear", async () => {
    const original = files.original(16_000, 1, 0.5);
    const made = ["aiff", "caf", "w64", "voc", "wv", "sph", "amr-nb"].map((ending) =>
      files.bytes(files.sox([original], [], ending === "amr-nb" ? ["-r", "8000"] : [], ending)),
    );
    // Two frames of AAC, 64 bytes each, as ADTS has them.
    const aac = new Uint8Array(160);
    for (const at of [0, 64]) aac.set([0xff, 0xf1, 0x50, 0x80, 64 >> 3, (64 & 7) << 5, 0xfc], at);
    const texts = ["<!DOCTYPE html>\n<html>", '{"prompt": "welcome"}', "#EXTM3U\nhttp://example.com/a.mp3\n"];
    const others = [...made, aac, ...texts.map((text) => new TextEncoder().encode(text))];
    for (const bytes of others) expect(await outcome(bytes)).toBe("unsupported_format");
    // And raw sound is sound, whatever it begins with.
    for (const head of ["RI", "caf", '{"a":1', "hello world, hello, hello"]) {
      const raw = new Uint8Array(1000);
      raw.set(new TextEncoder().encode(head));
      expect(await outcome(raw)).toBe("played");
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
