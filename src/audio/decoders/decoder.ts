/** One sound format: bytes in as they arrive, samples out a piece at a time, so that no file grows in memory. */
import type { ByteStream } from "../byte_stream";
import { AudioError } from "../error";

export interface Decoder {
  /** Of the newest piece: it changes where files of other rates are chained. 0 until the first one where only that tells. */
  readonly rateHz: number;
  /** Samples of each channel in all, where the file says so. */
  readonly frames: number | null;
  /** Whether it can be decoded at all is known with its first piece: nothing is said to play before. */
  readonly costly: boolean;
  /** next() waits for it, not for bytes: the code of what comes now. */
  readonly loading?: Promise<void> | null;
  /**
   * The next piece, channels mixed, −1 … 1; it may be empty. null: more bytes are needed; where the stream has
   * ended, that was all. Throws AudioError.
   */
  next(bytes: ByteStream): Float32Array | null;
}

/** What a decoder of frames is fed a piece of; pieces stay far below a tenth of a second of work. */
export const MAX_CHANNELS = 8;
export const MIN_RATE_HZ = 4000;
export const MAX_RATE_HZ = 192_000; /* the resampler takes no more */

export const malformed = (format: string, what: string): AudioError =>
  new AudioError("malformed", `This ${format} file is broken: ${what}.`);

export const truncated = (format: string): AudioError =>
  new AudioError("truncated", `This ${format} file ends before its sound does: send all of it.`);

/** A file that says otherwise is broken, or meant to exhaust us. */
export function checkShape(format: string, channels: number, rateHz: number): void {
  if (channels < 1 || channels > MAX_CHANNELS)
    throw malformed(format, `it has ${channels} channels (1 to ${MAX_CHANNELS})`);
  if (rateHz < MIN_RATE_HZ || rateHz > MAX_RATE_HZ)
    throw malformed(format, `its sample rate is ${rateHz} Hz (${MIN_RATE_HZ} to ${MAX_RATE_HZ})`);
}

/** Channels one after another in memory, `stride` apart, as their mean. */
export function mixPlanar(planes: Float32Array, channels: number, frames: number, stride: number): Float32Array {
  const mixed = planes.slice(0, frames);
  for (let channel = 1; channel < channels; channel++) {
    const from = channel * stride;
    for (let i = 0; i < frames; i++) mixed[i] = (mixed[i] as number) + (planes[from + i] as number);
  }
  if (channels > 1) for (let i = 0; i < frames; i++) mixed[i] = (mixed[i] as number) / channels;
  return mixed;
}
