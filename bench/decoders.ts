/**
 * `make bench`: how soon a file that arrives can be heard, and how clean what other rates become is.
 * Warm: from the first bytes in to the first samples out, in this process. Cold: the first file of its format that an
 * executable just started is sent, by HTTP, to its answer, which comes when the first of it can be heard.
 *   bun bench/decoders.ts
 */
import { join } from "node:path";
import { ByteStream } from "../src/audio/byte_stream";
import { openAudio } from "../src/audio/open";
import { NOT_YET } from "../src/audio/source";
import { postBytes } from "../test/support/client";
import { ROOT, startServer } from "../test/support/server";
import { SoundFiles } from "../test/support/sound_files";
import { readArriving } from "../test/support/stepped";
import { Figures, percentile } from "./figures";

const FORMATS = ["wav", "au", "mp3", "vorbis", "opus", "flac", "oggflac"];
const WARM_ROUNDS = 20;
const COLD_ROUNDS = 3;
const BAR_START = "<= 30";
/** As a client's pieces come over a network. */
const PIECE_BYTES = 16 * 1024;
const RATES_HZ = [16_000, 22_050, 44_100, 48_000, 96_000];
/** Of the telephone's band. */
const TONES_HZ = [300, 500, 1000, 1700, 2400, 3000, 3400];
const BAR_SNR = ">= 70";

const figures = new Figures();

/** ms from the first bytes in to the first samples out. */
async function warmStartMs(bytes: Uint8Array): Promise<number> {
  const stream = new ByteStream(bytes.length);
  const into = new Int16Array(160);
  const startedAt = performance.now();
  const opened = openAudio(stream);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) stream.push(bytes.subarray(at, at + PIECE_BYTES));
  stream.end();
  const source = await opened;
  while (source.read(into) === NOT_YET) await new Promise<void>((resolve) => source.whenReady?.(resolve));
  const ms = performance.now() - startedAt;
  source.close?.();
  return ms;
}

async function coldStartMs(bytes: Uint8Array): Promise<number> {
  await using server = await startServer({
    command: [join(ROOT, "dist/dahdi-phone-api-linux-x64")],
    arguments: ["--simulate=2"],
  });
  const send = async (line: number, body: Uint8Array): Promise<void> => {
    const url = `${server.rest}/lines/${line}/play-audio?when=off_hook`;
    const answer = await postBytes(url, body as Uint8Array<ArrayBuffer>);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  };
  await send(2, new Uint8Array(320)); // what HTTP takes at first is not the decoder's
  const startedAt = performance.now();
  await send(1, bytes);
  return performance.now() - startedAt;
}

async function starts(): Promise<void> {
  using files = new SoundFiles();
  const original = files.original(44_100, 2);
  for (const format of FORMATS) {
    const bytes = files.bytes(files.encoded(format, original));
    await warmStartMs(bytes);
    const warm: number[] = [];
    for (let i = 0; i < WARM_ROUNDS; i++) warm.push(await warmStartMs(bytes));
    const cold: number[] = [];
    for (let i = 0; i < COLD_ROUNDS; i++) cold.push(await coldStartMs(bytes));
    figures.add(`${format}: first bytes in to first samples out, median`, percentile(warm, 0.5), "ms", BAR_START);
    figures.add(
      `${format}: the first of an executable's life, by HTTP, median`,
      percentile(cold, 0.5),
      "ms",
      BAR_START,
    );
  }
}

/** A mono WAV of 32-bit float. */
function floatWav(samples: Float32Array, rateHz: number): Uint8Array {
  const bytes = new Uint8Array(44 + samples.byteLength);
  const view = new DataView(bytes.buffer);
  new TextEncoder().encodeInto("RIFF", bytes);
  view.setUint32(4, bytes.length - 8, true);
  new TextEncoder().encodeInto("WAVEfmt ", bytes.subarray(8));
  view.setUint32(16, 16, true);
  view.setUint16(20, 3, true); // IEEE float
  view.setUint16(22, 1, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * 4, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 32, true);
  new TextEncoder().encodeInto("data", bytes.subarray(36));
  view.setUint32(40, samples.byteLength, true);
  bytes.set(new Uint8Array(samples.buffer), 44);
  return bytes;
}

/** Of the middle of a second, against the same tone at the telephone's rate: all that is not it is noise. */
function snrDb(heard: Int16Array, hz: number): number {
  let power = 0;
  let error = 0;
  for (let i = 1000; i < 7000; i++) {
    const wanted = 16_384 * Math.sin((2 * Math.PI * hz * i) / 8000);
    power += wanted * wanted;
    error += ((heard[i] as number) - wanted) ** 2;
  }
  return 10 * Math.log10(power / error);
}

async function resampling(): Promise<void> {
  for (const rateHz of RATES_HZ) {
    let worstDb = Number.POSITIVE_INFINITY;
    for (const hz of TONES_HZ) {
      const tone = Float32Array.from(
        { length: rateHz },
        (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rateHz),
      );
      worstDb = Math.min(worstDb, snrDb(await readArriving(await openAudio(floatWav(tone, rateHz))), hz));
    }
    figures.add(`${rateHz} Hz to 8000, least SNR of tones from 300 to 3400 Hz`, worstDb, "dB", BAR_SNR);
  }
}

await resampling();
await starts();
figures.end();
