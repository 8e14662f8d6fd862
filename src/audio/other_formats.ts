/**
 * What is no sound that is decoded here, by its first bytes. Raw sound has none of its own: what nobody knows is taken
 * for it, and is noise in somebody's ear where it was a picture or a page.
 */
import type { ByteStream } from "./byte_stream";

const HEADS: readonly (readonly [what: string, from: number, head: string])[] = [
  ["AIFF", 8, "AIF"],
  ["M4A", 4, "ftyp"],
  ["WebM", 0, "\x1a\x45\xdf\xa3"],
  ["ASF or WMA", 0, "\x30\x26\xb2\x75"],
  ["AMR", 0, "#!AMR"],
  ["Wave64", 0, "riff\x2e\x91\xcf\x11"],
  ["CAF", 0, "caff"],
  ["VOC", 0, "Creative Voi"],
  ["SPHERE", 0, "NIST_1A\n"],
  ["little-endian AU", 0, "dns."],
  ["WavPack", 0, "wvpk"],
  ["Monkey's Audio", 0, "MAC "],
  ["TTA", 0, "TTA1"],
  ["Musepack", 0, "MPCK"],
  ["AAC", 0, "ADIF"],
  ["MIDI", 0, "MThd"],
  ["A gzip file", 0, "\x1f\x8b\x08"],
  ["A ZIP file", 0, "PK\x03\x04"],
  ["PDF", 0, "%PDF-"],
  ["PNG", 0, "\x89PNG"],
  ["JPEG", 0, "\xff\xd8\xff"],
];
/** Shorter, bytes that could be letters prove nothing. */
const LEAST_TEXT_BYTES = 16;
const TEXT_BYTES = 64;
const ADTS_HEAD_BYTES = 7;

const isLetter = (byte: number): boolean => (byte >= 0x20 && byte <= 0x7e) || (byte >= 9 && byte <= 13);

/** head: the first bytes as Latin-1. null: it may be raw sound. */
export async function otherFormat(head: string, bytes: ByteStream): Promise<string | null> {
  const known = HEADS.find(([, from, mark]) => head.startsWith(mark, from));
  if (known) return known[0];
  if (await isAdts(bytes)) return "AAC";
  return (await isText(bytes)) ? "Text" : null;
}

/** Sound keeps no such company for 32 samples: each of its bytes would be one of 100. */
async function isText(bytes: ByteStream): Promise<boolean> {
  if (!bytes.peek(LEAST_TEXT_BYTES / 2).every(isLetter)) return false;
  await bytes.atLeast(TEXT_BYTES);
  const begin = bytes.peek(TEXT_BYTES);
  return begin.length >= LEAST_TEXT_BYTES && begin.every(isLetter);
}

/** Two frames of it, as MP3 is told. */
async function isAdts(bytes: ByteStream): Promise<boolean> {
  const length = adtsBytes(bytes.peek(ADTS_HEAD_BYTES));
  if (length === 0) return false;
  await bytes.atLeast(length + ADTS_HEAD_BYTES);
  return adtsBytes(bytes.peek(length + ADTS_HEAD_BYTES).subarray(length)) > 0;
}

function adtsBytes(head: Uint8Array): number {
  const [sync = 0, kind = 0, , high = 0, middle = 0, low = 0] = head;
  if (head.length < ADTS_HEAD_BYTES || sync !== 0xff || (kind & 0xf6) !== 0xf0) return 0;
  const length = ((high & 3) << 11) | (middle << 3) | (low >> 5);
  return length > ADTS_HEAD_BYTES ? length : 0;
}
