/** The head of a WAV file (RIFF): walks its chunks as they arrive, up to the sound. */
import type { ByteStream } from "../byte_stream";
import { AudioError } from "../error";
import { checkShape, malformed, truncated } from "./decoder";
import { type Encoding, knownEncoding, PcmDecoder } from "./pcm";

const FORMAT_EXTENSIBLE = 0xfffe;
const ENCODINGS: Record<number, Encoding> = { 1: "signed", 3: "float", 6: "alaw", 7: "ulaw" };
/** Telephone people have these, and no library here reads them. */
const OTHER_CODECS: Record<number, string> = { 2: "MS ADPCM", 17: "IMA ADPCM", 49: "GSM 6.10", 85: "MP3" };
/** Chunks before the sound (titles, pictures) that are passed over. */
const MAX_HEAD_BYTES = 16 * 1024 * 1024;
const MAX_FORMAT_BYTES = 4096;
const STREAMED = [0xffffffff, 0x7fffffff, 0x7ffff000];

interface Format {
  encoding: Encoding;
  bits: number;
  channels: number;
  rateHz: number;
}

const broken = (what: string): AudioError => malformed("WAV", what);

function parseFormat(chunk: DataView): Format {
  if (chunk.byteLength < 16) throw broken("its fmt chunk is too short");
  let code = chunk.getUint16(0, true);
  const channels = chunk.getUint16(2, true);
  const rateHz = chunk.getUint32(4, true);
  const blockBytes = chunk.getUint16(12, true);
  const bits = chunk.getUint16(14, true);
  if (code === FORMAT_EXTENSIBLE) {
    if (chunk.byteLength < 26) throw broken("its extensible format is too short");
    code = chunk.getUint16(24, true);
  }
  checkShape("WAV", channels, rateHz);
  const encoding = code === 1 && bits === 8 ? "unsigned" : ENCODINGS[code];
  if (!encoding || !knownEncoding(encoding, bits)) {
    const what = OTHER_CODECS[code] ?? `format ${code} with ${bits} bits`;
    const detail = `This WAV file holds ${what}: send PCM (8, 16, 24, 32 bit), float, mu-law or A-law.`;
    throw new AudioError("unsupported_format", detail);
  }
  if (blockBytes !== (channels * bits) / 8) throw broken("its block size contradicts its format");
  return { encoding, bits, channels, rateHz };
}

const tag = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

async function whole(bytes: ByteStream, count: number): Promise<Uint8Array> {
  await bytes.atLeast(count);
  if (bytes.available < count) throw truncated("WAV");
  return bytes.take(count);
}

/** Throws AudioError. A header that promises more than there will be is refused: the rest was lost. */
export async function openWav(bytes: ByteStream): Promise<PcmDecoder> {
  const { totalBytes } = bytes;
  await bytes.atLeast(12);
  if (tag(bytes.take(12), 8) !== "WAVE") throw broken("it is not a WAVE file");
  let format: Format | null = null;
  for (let at = 12; ; ) {
    if (at > MAX_HEAD_BYTES) throw broken(`no sound begins in its first ${MAX_HEAD_BYTES} bytes`);
    const head = await whole(bytes, 8).catch(noData);
    const name = tag(head, 0);
    const size = new DataView(head.buffer, head.byteOffset).getUint32(4, true);
    at += 8;
    if (name === "data") {
      if (!format) throw broken("its data comes before its format");
      return new PcmDecoder({
        format: "WAV",
        ...format,
        bigEndian: false,
        dataBytes: dataBytes(size, totalBytes === null ? null : totalBytes - at),
        wholeSamplesOnly: false,
      });
    }
    const padded = size + (size % 2);
    if (name === "fmt ") {
      if (size > MAX_FORMAT_BYTES) throw broken("its fmt chunk is too long");
      const chunk = await whole(bytes, size);
      format = parseFormat(new DataView(chunk.buffer, chunk.byteOffset, size));
      if (padded > size) await skip(bytes, 1);
    } else {
      if (padded > MAX_HEAD_BYTES) throw broken("a chunk before its sound is too long");
      await skip(bytes, padded);
    }
    at += padded;
  }
}

const noData = (error: Error): never => {
  if (!(error instanceof AudioError)) throw error;
  throw new AudioError("truncated", "This WAV file has no sound in it: its data chunk is missing.");
};

async function skip(bytes: ByteStream, count: number): Promise<void> {
  for (let left = count; left > 0; ) {
    left -= bytes.skip(left);
    if (left === 0) return;
    await bytes.atLeast(1);
    if (bytes.available === 0) return; // the next chunk's absence is told
  }
}

/** there: bytes that follow, if that is known. */
function dataBytes(size: number, there: number | null): number | null {
  // Written by programs that stream and cannot know the length yet (SoX and eSpeak NG: the third): all that follows is
  // data.
  if (STREAMED.includes(size) || (size === 0 && there !== 0)) return there;
  if (there !== null && size > there) {
    const detail = `This WAV file promises ${size} bytes of sound and holds ${there}: send all of it.`;
    throw new AudioError("truncated", detail);
  }
  return size;
}
