/** MP3 to the sample: what an encoder adds is no sound, and neither are tags. */
import { afterAll, expect, test } from "bun:test";
import type { AudioError } from "../../../src/audio/error";
import { openAudio } from "../../../src/audio/open";
import { compare, SoundFiles, seeded } from "../../support/sound_files";
import { readArriving } from "../../support/stepped";
import { describeWith } from "../../support/with_programs";

const files = new SoundFiles();
afterAll(() => files[Symbol.dispose]());

const decoded = async (bytes: Uint8Array): Promise<Int16Array> => readArriving(await openAudio(bytes));
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function lame(original: string, ...options: string[]): Uint8Array {
  const path = files.path("mp3");
  files.run("lame", "--quiet", ...options, original, path);
  return files.bytes(path);
}

const RATES = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
const WAYS: readonly (readonly string[])[] = [
  ["-b", "64"],
  ["-m", "m", "-b", "64"],
  ["-m", "j", "-V", "3"],
  ["-m", "s", "--abr", "56"],
  ["-m", "f", "-b", "64", "-p"], // forced joint stereo, and a checksum in each frame
];

/** Its items and the size behind them, as programs write it; a head of the same before them is optional. */
function apeTag(withHead: boolean): Uint8Array {
  const items = joined(Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0), ascii("Title\0Hello"));
  const edge = (isHead: boolean): Uint8Array => {
    const bytes = joined(ascii("APETAGEX"), new Uint8Array(24));
    const view = new DataView(bytes.buffer);
    view.setUint32(8, 2000, true);
    view.setUint32(12, items.length + 32, true);
    view.setUint32(16, 1, true);
    view.setUint32(20, (withHead ? 0x80000000 : 0) + (isHead ? 0x20000000 : 0), true);
    return bytes;
  };
  return joined(...(withHead ? [edge(true)] : []), items, edge(false));
}

/** An ID3 tag with a picture, as `lame --ti` writes it. */
function pictureTag(pictureBytes: number): Uint8Array {
  // Bytes of a picture may look like a frame's head.
  const picture = Uint8Array.from({ length: pictureBytes }, (_, i) =>
    i % 7 === 0 ? 0xff : i % 7 === 1 ? 0xfb : i,
  );
  const frame = joined(ascii("APIC"), new Uint8Array(6), ascii("\0image/png\0\x03\0"), picture);
  new DataView(frame.buffer).setUint32(4, frame.length - 10);
  const size = [21, 14, 7, 0].map((shift) => (frame.length >> shift) & 0x7f);
  return joined(ascii("ID3\x03\0\0"), Uint8Array.from(size), frame);
}

describeWith(["sox", "lame"], "MP3", () => {
  for (const rateHz of RATES) {
    test(`${rateHz} Hz: as long as what was encoded, to the sample, and at its time`, async () => {
      for (const channels of [1, 2]) {
        const original = files.original(rateHz, channels, 0.777);
        const reference = files.reference(original);
        for (const way of WAYS) {
          const heard = await decoded(lame(original, ...way));
          const { lag, snrDb } = compare(heard, reference);
          expect([way, heard.length, lag]).toEqual([way, 6216, 0]);
          expect([way, snrDb > 20, snrDb]).toEqual([way, true, snrDb]);
        }
      }
    });
  }

  test("tags of every kind, before, behind and between, are not heard", async () => {
    const bytes = lame(files.original(44_100, 2, 0.3), "-b", "128");
    const expected = await decoded(bytes);
    expect(expected.length).toBe(2400);
    const id3v1 = joined(ascii("TAG"), new Uint8Array(125).fill(0x20));
    for (const picture of [100, 4000, 70_000]) {
      expect(await decoded(joined(pictureTag(picture), bytes))).toEqual(expected);
      const twice = await decoded(joined(pictureTag(picture), bytes, pictureTag(picture), bytes));
      expect(twice.length).toBe(4800);
    }
    for (const behind of [[id3v1], [apeTag(true)], [apeTag(false)], [apeTag(true), id3v1], [pictureTag(100)]]) {
      expect(await decoded(joined(bytes, ...behind))).toEqual(expected);
      expect((await decoded(joined(bytes, ...behind, bytes, ...behind))).length).toBe(4800);
    }
  });

  test("joined files are heard one after another, each without what its encoder added", async () => {
    const parts = [
      lame(files.original(44_100, 2, 0.5), "-b", "128"),
      lame(files.original(22_050, 1, 0.25), "-b", "64"),
      lame(files.original(48_000, 2, 0.3), "-V", "2"),
      lame(files.original(8000, 1, 0.2), "-b", "64"),
    ];
    const alone = await Promise.all(parts.map(decoded));
    expect(alone.map((samples) => samples.length)).toEqual([4000, 2000, 2400, 1600]);
    const whole = await decoded(joined(...parts));
    expect(whole.length).toBe(10_000);
    let at = 0;
    for (const samples of alone) {
      const part = whole.subarray(at, at + samples.length);
      const worst = part.reduce((most, value, i) => Math.max(most, Math.abs(value - (samples[i] as number))), 0);
      expect(worst).toBeLessThanOrEqual(1);
      at += samples.length;
    }
    // Without a head of its own (-t) a part is heard as it is, whole frames.
    const headless = lame(files.original(44_100, 2, 0.5), "-b", "128", "-t");
    const after = await decoded(joined(parts[0] as Uint8Array, headless));
    expect(after.subarray(0, 3900)).toEqual((alone[0] as Int16Array).subarray(0, 3900));
    expect(after.length).toBe(4000 + (await decoded(headless)).length);
  });

  test("in a WAV file it is the same sound", async () => {
    const sound = lame(files.original(44_100, 2, 0.3), "-b", "128");
    const bytes = joined(
      ascii("RIFF\0\0\0\0WAVEfmt "),
      new Uint8Array(34),
      ascii("data\0\0\0\0"),
      sound,
      ascii("LIST"),
    );
    const view = new DataView(bytes.buffer);
    view.setUint32(16, 30, true);
    view.setUint16(20, 85, true);
    view.setUint16(22, 2, true);
    view.setUint32(24, 44_100, true);
    view.setUint16(32, 1, true);
    view.setUint32(54, sound.length, true);
    expect(await decoded(bytes)).toEqual(await decoded(sound));
  });

  test("free format is refused by name", async () => {
    for (const [rateHz, kbps] of [
      [8000, 200],
      [16_000, 100],
      [44_100, 320],
      [48_000, 400],
    ] as const) {
      const bytes = lame(files.original(rateHz, 1, 0.3), "--freeformat", "-b", String(kbps));
      for (const file of [
        bytes,
        joined(pictureTag(50), bytes),
        lame(files.original(rateHz, 1, 0.3), "--freeformat", "-t", "-b", String(kbps)),
      ]) {
        const failure = await openAudio(file).catch((error: AudioError) => [error.code, error.message]);
        expect(failure).toEqual(["unsupported_format", expect.stringContaining("free format")]);
      }
    }
  });

  test("what is broken in it takes its own time and no more", async () => {
    const bytes = lame(files.original(44_100, 2, 2), "-b", "128");
    const random = seeded(5);
    for (let i = 0; i < 20; i++) {
      const broken = bytes.slice();
      const at = 2000 + Math.floor(random() * (bytes.length - 3000));
      for (let k = 0; k < 200; k++) broken[at + k] = Math.floor(random() * 256);
      const heard = await decoded(broken);
      // At most two frames are lost, 26 ms each.
      expect(heard.length).toBeGreaterThan(16_000 - 2 * 209);
      expect(heard.length).toBeLessThanOrEqual(16_000);
    }
  });

  test("a tag before FLAC, Ogg and AAC is passed over as well", async () => {
    const original = files.original(16_000, 1, 0.3);
    for (const format of ["flac", "vorbis"]) {
      if (Bun.which(format === "flac" ? "flac" : "oggenc") === null) continue;
      const bytes = files.bytes(files.encoded(format, original));
      expect(await decoded(joined(pictureTag(500), bytes))).toEqual(await decoded(bytes));
    }
    const aac = new Uint8Array(160);
    for (const at of [0, 64]) aac.set([0xff, 0xf1, 0x50, 0x80, 64 >> 3, (64 & 7) << 5, 0xfc], at);
    for (const [file, code] of [
      [aac, "unsupported_format"],
      [new Uint8Array(5000), "malformed"],
      [new Uint8Array(0), "malformed"],
    ] as const) {
      const failure = await openAudio(joined(pictureTag(500), file)).catch((error: AudioError) => error.code);
      expect(failure).toBe(code);
    }
  });

  test("a file of nothing but heads comes to an end", async () => {
    const head = lame(files.original(44_100, 2, 0.1), "-b", "128").subarray(0, 417);
    const failure = await openAudio(joined(...new Array(5000).fill(head))).catch(
      (error: AudioError) => error.message,
    );
    expect(failure).toContain("there is no sound in its parts");
  });
});
