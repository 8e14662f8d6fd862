/** Sounds that are several files in one: chained and multiplexed Ogg. */
import { afterAll, expect, test } from "bun:test";
import { ByteStream } from "../../../src/audio/byte_stream";
import type { AudioError } from "../../../src/audio/error";
import { openAudio } from "../../../src/audio/open";
import { ENCODERS, resealed, SoundFiles } from "../../support/sound_files";
import { readArriving } from "../../support/stepped";
import { describeWith } from "../../support/with_programs";

const files = new SoundFiles();
afterAll(() => files[Symbol.dispose]());

const decoded = async (bytes: Uint8Array): Promise<Int16Array> => readArriving(await openAudio(bytes));
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** One page that holds one packet. */
function oggPage(serial: number, sequence: number, flags: number, packet: Uint8Array): Uint8Array {
  const segments = [...new Array(Math.floor(packet.length / 255)).fill(255), packet.length % 255];
  const page = new Uint8Array(27 + segments.length + packet.length);
  const view = new DataView(page.buffer);
  new TextEncoder().encodeInto("OggS", page);
  page[5] = flags;
  view.setUint32(14, serial, true);
  view.setUint32(18, sequence, true);
  page[26] = segments.length;
  page.set(segments, 27);
  page.set(packet, 27 + segments.length);
  return resealed(page);
}

function oggPages(file: Uint8Array): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const segments = file[at + 26] as number;
    let length = 27 + segments;
    for (let i = 0; i < segments; i++) length += file[at + 27 + i] as number;
    pages.push(file.subarray(at, at + length));
    at += length;
  }
  return pages;
}

/** What the filter to the telephone's rate is long, at the most, on either side. */
const SEAM_SAMPLES = 40;
const OGG = ["vorbis", "opus", "oggflac"];
const bytesOf = (format: string, rateHz: number, channels: number, seconds = 1): Uint8Array =>
  files.bytes(files.encoded(format, files.original(rateHz, channels, seconds)));

describeWith(ENCODERS, "chained Ogg", () => {
  for (const format of OGG) {
    test(`${format}: all links are heard, each as alone, whatever its rate and channels`, async () => {
      const links = [
        bytesOf(format, 48_000, 2, 0.75),
        bytesOf(format, 16_000, 1, 0.5),
        bytesOf(format, 44_100, 2, 0.3),
        bytesOf(format, 8000, 1, 0.2),
      ];
      const alone = await Promise.all(links.map(decoded));
      expect(alone.map((samples) => samples.length)).toEqual([6000, 4000, 2400, 1600]);
      const whole = await decoded(joined(...links));
      expect(whole.length).toBe(14_000);
      let at = 0;
      for (const samples of alone) {
        const part = whole.subarray(at, at + samples.length);
        // At the seam the filter of links of one rate hears the neighbour, where the file alone has silence.
        const inner = part.subarray(SEAM_SAMPLES, -SEAM_SAMPLES);
        const worst = inner.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (samples[i + SEAM_SAMPLES] as number))),
          0,
        );
        expect(worst).toBeLessThanOrEqual(1);
        at += samples.length;
      }
    });
  }

  test("the same file twice, and links of other codecs, arriving byte by byte", async () => {
    const vorbis = bytesOf("vorbis", 16_000, 1, 0.2);
    const opus = bytesOf("opus", 48_000, 2, 0.2);
    const chain = joined(vorbis, vorbis, opus, bytesOf("oggflac", 22_050, 1, 0.2));
    const whole = await decoded(chain);
    expect(whole.length).toBe(4 * 1600);
    const stream = new ByteStream();
    const opened = openAudio(stream);
    for (let at = 0; at < chain.length; at += 333) {
      stream.push(chain.subarray(at, at + 333));
      if (at % 7 === 0) await Bun.sleep(0);
    }
    stream.end();
    expect(await readArriving(await opened)).toEqual(whole);
  });

  test("a link that is broken, not whole or no sound is told behind what was right", async () => {
    const vorbis = bytesOf("vorbis", 16_000, 1, 0.2);
    const theora = oggPage(9, 0, 2, new TextEncoder().encode("\x80theora, a film"));
    for (const [rest, code] of [
      [vorbis.subarray(0, 100), "malformed"],
      [joined(theora, oggPage(9, 1, 4, new Uint8Array(100))), "unsupported_format"],
      [vorbis.map((byte, i) => (i === 60 ? byte ^ 1 : byte)), "malformed"],
    ] as const) {
      const source = await openAudio(joined(vorbis, rest));
      const heard: number[] = [];
      const failure = await (async () => {
        for (const into = new Int16Array(160); ; ) {
          const count = source.read(into);
          if (count === -1) await new Promise<void>((resolve) => source.whenReady?.(resolve));
          else if (count === 0) return null;
          else heard.push(...into.subarray(0, count));
        }
      })().catch((error: AudioError) => error.code);
      expect([failure, heard.length]).toEqual([code, 1600]);
    }
    // A tag behind the sound is none.
    expect(await decoded(joined(vorbis, new TextEncoder().encode("TAG and what follows it")))).toEqual(
      await decoded(vorbis),
    );
  });

  test("a stream that ends with an empty packet, as FFmpeg writes it, is whole", async () => {
    for (const format of OGG) {
      const pages = oggPages(bytesOf(format, 16_000, 1, 0.2));
      const last = pages.at(-1) as Uint8Array;
      const segments = last[26] as number;
      const longer = joined(last.subarray(0, 27 + segments), Uint8Array.of(0), last.subarray(27 + segments));
      longer[26] = segments + 1;
      const whole = joined(...pages.slice(0, -1), resealed(longer));
      expect(await decoded(whole)).toEqual(await decoded(joined(...pages)));
    }
  });

  test("links without sound come to an end", async () => {
    const [head, ...rest] = oggPages(bytesOf("opus", 48_000, 1, 0.2)) as [Uint8Array, ...Uint8Array[]];
    const silent = joined(head, rest[0] as Uint8Array);
    const opened = openAudio(joined(...new Array(2000).fill(silent)));
    expect(
      await opened.then(
        () => "opened",
        (error: AudioError) => error.message,
      ),
    ).toContain("no sound in its streams");
  });
});

describeWith(ENCODERS, "multiplexed Ogg", () => {
  for (const format of OGG) {
    test(`${format} beside a film and a skeleton is heard`, async () => {
      const sound = bytesOf(format, 16_000, 1, 0.5);
      const [head, ...rest] = oggPages(sound) as [Uint8Array, ...Uint8Array[]];
      const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
      const before = [
        oggPage(7, 0, 2, encode("fishead\0and more")),
        oggPage(8, 0, 2, encode("\x80theora and more")),
      ];
      const beside = rest.flatMap((page, i) => [page, oggPage(8, i + 1, 0, new Uint8Array(500).fill(i))]);
      const film = joined(...before, head, ...beside, oggPage(8, rest.length + 1, 4, new Uint8Array(9)));
      const alone = await decoded(sound);
      expect(await decoded(film)).toEqual(alone);
      // And a film behind a film: the first one's picture ends after its sound.
      expect((await decoded(joined(film, film))).length).toBe(2 * alone.length);
    });
  }

  test("a film without sound is refused by what it is", async () => {
    const film = joined(
      oggPage(8, 0, 2, new TextEncoder().encode("\x80theora and more")),
      oggPage(8, 1, 4, new Uint8Array(500)),
    );
    const failure = await openAudio(film).catch((error: AudioError) => [error.code, error.message]);
    expect(failure).toEqual([
      "unsupported_format",
      expect.stringContaining("What this Ogg file holds is not decoded"),
    ]);
  });
});
