/** Sound in blocks of equal length, each decoded without the others: the compressed codecs of WAV files. */
import type { ByteStream } from "../byte_stream";
import { type Decoder, truncated } from "./decoder";

const S16_SCALE = 32768;

export interface BlockShape {
  channels: number;
  rateHz: number;
  blockBytes: number;
  /** Fewer hold no sample: only the last block may be shorter than the others. */
  headBytes: number;
  /** Of each channel, in a block of so many bytes. */
  samplesIn(bytes: number): number;
  /** Interleaved. */
  decode(block: Uint8Array): Int16Array;
  /** Of the sound; null: all that comes. */
  dataBytes: number | null;
  /** Of each channel, as the file says: the last block is filled up. null: it does not say. */
  samples: number | null;
}

export class BlockDecoder implements Decoder {
  readonly rateHz: number;
  readonly frames: number | null;
  readonly costly = true;
  #bytesLeft: number;
  #samplesLeft: number;

  constructor(private readonly shape: BlockShape) {
    const { dataBytes, rateHz, samples } = shape;
    this.rateHz = rateHz;
    this.#bytesLeft = dataBytes ?? Number.POSITIVE_INFINITY;
    this.#samplesLeft = samples ?? Number.POSITIVE_INFINITY;
    this.frames = dataBytes === null ? null : Math.min(this.#samplesLeft, this.#samplesInAll(dataBytes));
  }

  next(bytes: ByteStream): Float32Array | null {
    const { blockBytes, headBytes, channels, decode } = this.shape;
    const wanted = Math.min(blockBytes, this.#bytesLeft);
    if (wanted < headBytes || this.#samplesLeft === 0) {
      bytes.skip(bytes.available); // what follows the sound is none
      return null;
    }
    if (bytes.available < wanted) {
      if (!bytes.ended) return null;
      if (Number.isFinite(this.#bytesLeft)) throw truncated("WAV");
      if (bytes.available < headBytes) {
        bytes.skip(bytes.available);
        return null;
      }
    }
    const block = bytes.take(wanted);
    this.#bytesLeft -= block.length;
    const samples = decode(block);
    const piece = new Float32Array(Math.min(samples.length / channels, this.#samplesLeft));
    this.#samplesLeft -= piece.length;
    for (let i = 0; i < piece.length; i++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += samples[i * channels + channel] as number;
      piece[i] = sum / channels / S16_SCALE;
    }
    return piece;
  }

  #samplesInAll(dataBytes: number): number {
    const { blockBytes, samplesIn } = this.shape;
    const rest = dataBytes % blockBytes;
    return Math.floor(dataBytes / blockBytes) * samplesIn(blockBytes) + (rest > 0 ? samplesIn(rest) : 0);
  }
}
