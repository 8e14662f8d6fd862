/** The head of a WAV file (RIFF, RIFX, RF64): walks its chunks as they arrive, up to the sound. */
import type { ByteStream } from "../byte_stream";
import { AudioError } from "../error";
import { decodeIma, decodeMs, imaSamples, msSamples } from "./adpcm";
import { BlockDecoder } from "./blocks";
import { checkShape, type Decoder, malformed, truncated } from "./decoder";
import { openMp3 } from "./mp3";
import { type Encoding, knownEncoding, PcmDecoder } from "./pcm";

const FORMAT_EXTENSIBLE = 0xfffe;
const PCM = 1;
const MS_ADPCM = 2;
const IMA_ADPCM = 17;
const MP3 = 85;
const ENCODINGS: Record<number, Encoding> = { 1: "signed", 3: "float", 6: "alaw", 7: "ulaw" };
/** Telephone people have these, and nothing here reads them. */
const OTHER_CODECS: Record<number, string> = {
  20: "G.723 ADPCM",
  49: "GSM 6.10",
  64: "G.721 ADPCM",
  69: "G.726 ADPCM",
  131: "G.729",
};
/** Chunks before the sound (titles, pictures) that are passed over. */
const MAX_HEAD_BYTES = 16 * 1024 * 1024;
const MAX_FORMAT_BYTES = 4096;
const MAX_LENGTHS_BYTES = 4096;
/**
 * Programs that write into a pipe cannot know the length: SoX and eSpeak NG say 0x7ffff000, arecord 0x80000000, FFmpeg
 * 0xffffffff. No body may be so long (api.max_body_bytes).
 */
const UNKNOWN_FROM_BYTES = 0x7fff0000;

type FormatOf = (dataBytes: number | null, samples: number | null) => Decoder | Promise<Decoder>;

const broken = (what: string): AudioError => malformed("WAV", what);

/** What the fmt chunk says, as the decoder of the sound that follows. */
function parseFormat(chunk: DataView, big: boolean): FormatOf {
  if (chunk.byteLength < 16) throw broken("its fmt chunk is too short");
  let code = chunk.getUint16(0, !big);
  const channels = chunk.getUint16(2, !big);
  const rateHz = chunk.getUint32(4, !big);
  const blockBytes = chunk.getUint16(12, !big);
  const bits = chunk.getUint16(14, !big);
  if (code === FORMAT_EXTENSIBLE) {
    if (chunk.byteLength < 26) throw broken("its extensible format is too short");
    code = chunk.getUint16(24, !big);
  }
  checkShape("WAV", channels, rateHz);
  if ((code === IMA_ADPCM || code === MS_ADPCM) && bits === 4) {
    return adpcm(code, chunk, { channels, rateHz, blockBytes });
  }
  if (code === MP3) return () => openMp3();
  // 12 or 20 bits stand in the upper ones of their bytes.
  const storedBits = code === PCM ? Math.ceil(bits / 8) * 8 : bits;
  const encoding = code === PCM && storedBits === 8 ? "unsigned" : ENCODINGS[code];
  if (!encoding || !knownEncoding(encoding, storedBits)) {
    const what = OTHER_CODECS[code] ?? `format ${code} with ${bits} bits`;
    const detail = `This WAV file holds ${what}: send PCM (sox IN.wav -e signed -b 16 OUT.wav makes it), float, mu-law, A-law, or ADPCM of IMA's or Microsoft's kind.`;
    throw new AudioError("unsupported_format", detail);
  }
  if (blockBytes !== (channels * storedBits) / 8) throw broken("its block size contradicts its format");
  const shape = { format: "WAV", encoding, bits: storedBits, channels, rateHz, bigEndian: big };
  return (dataBytes) => new PcmDecoder({ ...shape, dataBytes, wholeSamplesOnly: false });
}

function adpcm(
  code: number,
  chunk: DataView,
  { channels, rateHz, blockBytes }: { channels: number; rateHz: number; blockBytes: number },
): FormatOf {
  const ms = code === MS_ADPCM;
  const headBytes = (ms ? 7 : 4) * channels;
  const samplesIn = (bytes: number): number => (ms ? msSamples : imaSamples)(bytes, channels);
  if (blockBytes < headBytes) throw broken("its block size contradicts its format");
  const decodeBlock = ms ? decodeMs(coefficientsOf(chunk)) : decodeIma;
  const decode = (block: Uint8Array): Int16Array => decodeBlock(block, channels);
  const shape = { channels, rateHz, blockBytes, headBytes, samplesIn, decode };
  return (dataBytes, samples) => new BlockDecoder({ ...shape, dataBytes, samples });
}

function coefficientsOf(chunk: DataView): [number, number][] {
  const count = chunk.byteLength >= 22 ? chunk.getUint16(20, true) : 0;
  if (count === 0 || chunk.byteLength < 22 + count * 4) throw broken("its ADPCM coefficients are missing");
  return Array.from({ length: count }, (_, i) => [
    chunk.getInt16(22 + i * 4, true),
    chunk.getInt16(24 + i * 4, true),
  ]);
}

const tag = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

async function whole(bytes: ByteStream, count: number): Promise<Uint8Array> {
  await bytes.atLeast(count);
  if (bytes.available < count) throw truncated("WAV");
  return bytes.take(count);
}

/** Throws AudioError. A header that promises more than there will be is refused: the rest was lost. */
export async function openWav(bytes: ByteStream): Promise<Decoder> {
  const { totalBytes } = bytes;
  await bytes.atLeast(12);
  const first = bytes.take(12);
  if (tag(first, 8) !== "WAVE") throw broken("it is not a WAVE file");
  const big = tag(first, 0) === "RIFX";
  let format: FormatOf | null = null;
  /** Of each channel; of the sound: where 32 bits are too few, or the codec fills up its last block. */
  let samples: number | null = null;
  let longBytes: number | null = null;
  for (let at = 12; ; ) {
    if (at > MAX_HEAD_BYTES) throw broken(`no sound begins in its first ${MAX_HEAD_BYTES} bytes`);
    const head = await whole(bytes, 8).catch(noData);
    const name = tag(head, 0);
    const size = new DataView(head.buffer, head.byteOffset).getUint32(4, !big);
    at += 8;
    if (name === "data") {
      if (!format) throw broken("its data comes before its format");
      const there = totalBytes === null ? null : totalBytes - at;
      return format(dataBytes(size === 0xffffffff ? (longBytes ?? size) : size, there), samples);
    }
    const padded = size + (size % 2);
    const read = async (maxBytes: number): Promise<DataView> => {
      if (size > maxBytes) throw broken(`its ${name.trim()} chunk is too long`);
      const chunk = await whole(bytes, size);
      if (padded > size) await bytes.pass(1);
      return new DataView(chunk.buffer, chunk.byteOffset, size);
    };
    if (name === "fmt ") format = parseFormat(await read(MAX_FORMAT_BYTES), big);
    else if (name === "fact" && size >= 4) samples = (await read(MAX_LENGTHS_BYTES)).getUint32(0, !big) || null;
    else if (name === "ds64" && size >= 16) {
      longBytes = Number((await read(MAX_LENGTHS_BYTES)).getBigUint64(8, !big));
    } else {
      if (padded > MAX_HEAD_BYTES) throw broken("a chunk before its sound is too long");
      await bytes.pass(padded); // the next chunk's absence is told
    }
    at += padded;
  }
}

const noData = (error: Error): never => {
  if (!(error instanceof AudioError)) throw error;
  throw new AudioError("truncated", "This WAV file has no sound in it: its data chunk is missing.");
};

/** there: bytes that follow, if that is known. */
function dataBytes(size: number, there: number | null): number | null {
  if (size >= UNKNOWN_FROM_BYTES || (size === 0 && there !== 0)) return there;
  if (there !== null && size > there) {
    const detail = `This WAV file promises ${size} bytes of sound and holds ${there}: send all of it.`;
    throw new AudioError("truncated", detail);
  }
  return size;
}
