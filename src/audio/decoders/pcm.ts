/** Samples that are no more than stored: raw, and what WAV and AU hold. */
import type { ByteStream } from "../byte_stream";
import { AudioError } from "../error";
import { ALAW_TO_S16, ULAW_TO_S16 } from "../g711";
import { type Decoder, truncated } from "./decoder";

const S16_SCALE = 32768;
/** A tenth of a second at 48 kHz: keeps every piece short. */
const PIECE_FRAMES = 4800;

/** One channel's sample at a byte offset, −1 … 1. */
type ReadSample = (data: DataView, at: number) => number;

/** Encoding and bits → how a sample is read; big: most significant byte first. */
const readers = (big: boolean): Record<string, ReadSample> => ({
  "unsigned/8": (data, at) => (data.getUint8(at) - 128) / 128,
  "signed/8": (data, at) => data.getInt8(at) / 128,
  "signed/16": (data, at) => data.getInt16(at, !big) / S16_SCALE,
  "signed/24": (data, at) => {
    const high = big ? at : at + 1;
    const low = big ? at + 2 : at;
    return (data.getInt16(high, !big) * 256 + data.getUint8(low)) / 8_388_608;
  },
  "signed/32": (data, at) => data.getInt32(at, !big) / 2_147_483_648,
  "float/32": (data, at) => data.getFloat32(at, !big),
  "float/64": (data, at) => data.getFloat64(at, !big),
  "ulaw/8": (data, at) => (ULAW_TO_S16[data.getUint8(at)] as number) / S16_SCALE,
  "alaw/8": (data, at) => (ALAW_TO_S16[data.getUint8(at)] as number) / S16_SCALE,
});
const LITTLE = readers(false);
const BIG = readers(true);

export type Encoding = "unsigned" | "signed" | "float" | "ulaw" | "alaw";

export interface PcmShape {
  /** "WAV", "AU", or "raw sound". */
  format: string;
  encoding: Encoding;
  bits: number;
  bigEndian: boolean;
  channels: number;
  rateHz: number;
  /** Of the sound; null: all that comes. */
  dataBytes: number | null;
  /** What is left over at its end is part of a sample that was lost. */
  wholeSamplesOnly: boolean;
}

export const knownEncoding = (encoding: Encoding, bits: number): boolean => `${encoding}/${bits}` in LITTLE;

export class PcmDecoder implements Decoder {
  readonly rateHz: number;
  readonly frames: number | null;
  readonly costly = false;
  #left: number;
  readonly #frameBytes: number;
  readonly #read: ReadSample;

  constructor(private readonly shape: PcmShape) {
    const { encoding, bits, bigEndian, channels, dataBytes, rateHz } = shape;
    this.#read = (bigEndian ? BIG : LITTLE)[`${encoding}/${bits}`] as ReadSample;
    this.#frameBytes = (channels * bits) / 8;
    this.rateHz = rateHz;
    this.#left = dataBytes === null ? Number.POSITIVE_INFINITY : Math.floor(dataBytes / this.#frameBytes);
    this.frames = dataBytes === null ? null : this.#left;
  }

  next(bytes: ByteStream): Float32Array | null {
    const { channels, bits, format } = this.shape;
    const there = Math.floor(bytes.available / this.#frameBytes);
    const count = Math.min(PIECE_FRAMES, there, this.#left);
    if (count === 0) {
      if (this.#left === 0) {
        bytes.skip(bytes.available); // what follows the sound is none
      } else if (bytes.ended) {
        if (Number.isFinite(this.#left)) throw truncated(format);
        if (this.shape.wholeSamplesOnly && bytes.available > 0) throw oddLength();
      }
      return null;
    }
    const taken = bytes.take(count * this.#frameBytes);
    const data = new DataView(taken.buffer, taken.byteOffset, taken.byteLength);
    const piece = new Float32Array(count);
    for (let i = 0, at = 0; i < count; i++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++, at += bits / 8) sum += this.#read(data, at);
      piece[i] = sum / channels;
    }
    this.#left -= count;
    return piece;
  }
}

const oddLength = (): AudioError =>
  new AudioError(
    "odd_length",
    "Raw sound is two bytes a sample (S16LE, 8 kHz, mono), and this is not a whole number of them.",
  );

/** S16LE, 8 kHz, mono: what has no header. */
export function openRaw(bytes: ByteStream, rateHz: number): PcmDecoder {
  if (bytes.totalBytes !== null && bytes.totalBytes % 2 !== 0) throw oddLength();
  return new PcmDecoder({
    format: "raw sound",
    encoding: "signed",
    bits: 16,
    bigEndian: false,
    channels: 1,
    rateHz,
    dataBytes: bytes.totalBytes,
    wholeSamplesOnly: true,
  });
}
