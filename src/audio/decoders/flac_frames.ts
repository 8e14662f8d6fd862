/**
 * FLAC's frames (RFC 9639) tell no length: one ends where the next one's head begins, and its own checksum says
 * whether that is true. Only frames whose checksum is right come out.
 */
import type { ByteStream } from "../byte_stream";
import { malformed } from "./decoder";

/** 65,535 samples of 8 channels of 32 bits stored as they are, and their heads. */
const MAX_FRAME_BYTES = 65_535 * 8 * 4 + 64;
const MAX_HEAD_BYTES = 16;
const MIN_FRAME_BYTES = 9;
/** Most frames are shorter; for a longer one it is doubled. */
const FIRST_LOOK_BYTES = 16 * 1024;

const CRC8 = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x80) !== 0 ? 0x07 : 0);
  return crc & 0xff;
});
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x8000) !== 0 ? 0x8005 : 0);
  return crc & 0xffff;
});

/** Bytes of a frame's head with its checksum; 0: there is none here. */
export function headBytes(bytes: Uint8Array, at: number): number {
  const there = bytes.length - at;
  if (there < 6 || bytes[at] !== 0xff || ((bytes[at + 1] as number) & 0xfe) !== 0xf8) return 0;
  const sizes = bytes[at + 2] as number;
  const blockCode = sizes >> 4;
  const rateCode = sizes & 15;
  const shape = bytes[at + 3] as number;
  if (blockCode === 0 || rateCode === 15 || shape >> 4 > 10 || (shape & 1) !== 0) return 0;
  // The number of the frame or sample is coded like a character of UTF-8.
  let number = 1;
  for (let lead = bytes[at + 4] as number; (lead & 0x80) !== 0; lead = (lead << 1) & 0xff) number++;
  if (number > 1) number--;
  const blockExtra = blockCode === 6 ? 1 : blockCode === 7 ? 2 : 0;
  const rateExtra = rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0;
  const length = 4 + number + blockExtra + rateExtra;
  if (there < length + 1) return 0;
  let crc = 0;
  for (let i = 0; i < length; i++) crc = CRC8[crc ^ (bytes[at + i] as number)] as number;
  return crc === bytes[at + length] ? length + 1 : 0;
}

export class FlacFrames {
  /** Looked at already, of the frame that begins with the next byte. */
  #scanned = 0;
  #crc = 0;

  /** null: more bytes are needed; or that was all. */
  next(bytes: ByteStream): Uint8Array | null {
    if (bytes.available === 0) return null;
    const enough = bytes.available >= MAX_HEAD_BYTES || bytes.ended;
    if (this.#scanned === 0 && enough && headBytes(bytes.peek(MAX_HEAD_BYTES), 0) === 0) {
      if (bytes.ended && bytes.available < MIN_FRAME_BYTES)
        throw malformed("FLAC", "it ends in the middle of a frame");
      throw malformed("FLAC", "a frame's head is wrong");
    }
    for (let wanted = this.#scanned + FIRST_LOOK_BYTES; ; wanted *= 2) {
      const window = bytes.peek(Math.min(wanted, MAX_FRAME_BYTES + MAX_HEAD_BYTES));
      if (this.#scan(window, bytes)) return this.#taken(bytes);
      if (window.length < wanted) break;
    }
    if (this.#scanned >= MAX_FRAME_BYTES) throw malformed("FLAC", "a frame has no end");
    if (!bytes.ended) return null;
    if (this.#crc !== 0) throw malformed("FLAC", "its last frame is broken or not whole");
    return this.#taken(bytes);
  }

  /** Whether the frame ends at the place that it has come to. */
  #scan(window: Uint8Array, bytes: ByteStream): boolean {
    // A head may begin in the last bytes: they are looked at when there are more.
    const isAll = bytes.ended && window.length === bytes.available;
    const end = window.length - (isAll ? 0 : MAX_HEAD_BYTES);
    for (; this.#scanned < end; this.#scanned++) {
      const at = this.#scanned;
      const byte = window[at] as number;
      // The checksum over a frame with its own checksum is zero.
      if (byte === 0xff && this.#crc === 0 && at >= MIN_FRAME_BYTES && headBytes(window, at) > 0) return true;
      this.#crc = ((this.#crc << 8) & 0xffff) ^ (CRC16[(this.#crc >> 8) ^ byte] as number);
    }
    return false;
  }

  #taken(bytes: ByteStream): Uint8Array {
    const frame = bytes.take(this.#scanned).slice();
    this.#scanned = 0;
    this.#crc = 0;
    return frame;
  }
}
