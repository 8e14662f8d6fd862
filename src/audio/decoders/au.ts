/** The head of an AU file (.snd): Sun's and NeXT's, most significant byte first. */
import type { ByteStream } from "../byte_stream";
import { AudioError } from "../error";
import { checkShape, malformed, truncated } from "./decoder";
import { type Encoding, PcmDecoder } from "./pcm";

const ENCODINGS: Record<number, [Encoding, bits: number]> = {
  1: ["ulaw", 8],
  2: ["signed", 8],
  3: ["signed", 16],
  4: ["signed", 24],
  5: ["signed", 32],
  6: ["float", 32],
  7: ["float", 64],
  27: ["alaw", 8],
};
const HEAD_BYTES = 24;
/** The remark in its head is for people. */
const MAX_HEAD_BYTES = 1024 * 1024;
const UNKNOWN = 0xffffffff;

/** Throws AudioError. */
export async function openAu(bytes: ByteStream): Promise<PcmDecoder> {
  await bytes.atLeast(HEAD_BYTES);
  if (bytes.available < HEAD_BYTES) throw truncated("AU");
  const head = bytes.take(HEAD_BYTES);
  const view = new DataView(head.buffer, head.byteOffset, HEAD_BYTES);
  const offset = view.getUint32(4);
  const size = view.getUint32(8);
  const code = view.getUint32(12);
  const rateHz = view.getUint32(16);
  const channels = view.getUint32(20);
  if (offset < HEAD_BYTES || offset > MAX_HEAD_BYTES) throw malformed("AU", `its sound begins at byte ${offset}`);
  checkShape("AU", channels, rateHz);
  const encoding = ENCODINGS[code];
  if (!encoding) {
    const detail = `This AU file holds encoding ${code}: send mu-law, A-law, PCM (8, 16, 24, 32 bit) or float.`;
    throw new AudioError("unsupported_format", detail);
  }
  if (!(await bytes.pass(offset - HEAD_BYTES))) throw truncated("AU");
  const there = bytes.totalBytes === null ? null : bytes.totalBytes - offset;
  if (size !== UNKNOWN && there !== null && size > there) throw truncated("AU");
  return new PcmDecoder({
    format: "AU",
    encoding: encoding[0],
    bits: encoding[1],
    bigEndian: true,
    channels,
    rateHz,
    dataBytes: size === UNKNOWN ? there : size,
    wholeSamplesOnly: false,
  });
}
