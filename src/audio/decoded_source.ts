/** What a decoder gives as the telephone takes it: resampled, levelled, S16, a chunk at a time, as bytes arrive. */
import type { ByteStream } from "./byte_stream";
import type { Decoder } from "./decoders/decoder";
import { malformed } from "./decoders/decoder";
import { AudioError } from "./error";
import { Limiter } from "./limiter";
import { Loudness } from "./loudness";
import { Resampler } from "./resampler";
import { NOT_YET, type PcmSource, TELEPHONE_RATE_HZ } from "./source";

/** Where it ran dry it goes on when that much is there, so that a slow sender does not make it stutter. */
const REFILL_SAMPLES = TELEPHONE_RATE_HZ / 5;
/** Made in one turn of the event loop: of CD quality 2 ms here, 10 on a Pi, while live audio has a block every 20. */
const TURN_SAMPLES = TELEPHONE_RATE_HZ / 4;
/** In its first one, when neither the filter nor its machine code is there yet; each may take twice as much as the one before. */
const FIRST_TURN_SAMPLES = TELEPHONE_RATE_HZ / 16;
/** Of one sound: each one's filter has to be computed. */
const MAX_RATES = 8;
/** What a piece costs that has no sound in it. */
const PIECE_WORK_SAMPLES = 40;
/** Nobody listens longer; what promises more is meant to keep the line. */
export const MAX_SECONDS = 24 * 3600;

export interface SourceOptions {
  /** Level of the speech, dBm0; null: as it is. */
  loudnessDbm0: number | null;
  /** Bytes that may wait in memory for it. */
  heldBytes: number;
  /** Runs work in a later turn of the event loop. */
  later: (work: () => void) => void;
}

/** A full-scale float is one step beyond what S16 holds. */
const toS16 = (value: number): number => Math.max(-32768, Math.min(32767, Math.round(value * 32768)));

export const tooLong = (): AudioError =>
  new AudioError("too_long", `This sound lasts longer than ${MAX_SECONDS / 3600} hours: send less.`);

/** What a decoder of others' making does with a hostile file ends here. */
export function nextPiece(decoder: Decoder, bytes: ByteStream): Float32Array | null {
  try {
    const piece = decoder.next(bytes);
    // What is no number would stay in the filter behind, and what is infinite would be limited to silence around it.
    if (piece) for (let i = 0; i < piece.length; i++) if (!Number.isFinite(piece[i])) piece[i] = 0;
    return piece;
  } catch (error) {
    // What came is not wrong where not all of it came.
    if (bytes.failure) throw bytes.failure;
    throw error instanceof AudioError ? error : malformed("sound", "its decoder gave up on it");
  }
}

export class DecodedSource implements PcmSource {
  readonly samples: number | null;
  readonly heldBytes: number;
  #resampler: Resampler | null = null;
  #rateHz = TELEPHONE_RATE_HZ;
  readonly #rates = new Set<number>();
  readonly #loudness: Loudness | null;
  readonly #limiter = new Limiter();
  #ready: Float32Array[] = [];
  #readySamples = 0;
  #finished = false;
  #failure: Error | null = null;
  #dry = true;
  #turnSamples = 0;
  #maxTurnSamples = FIRST_TURN_SAMPLES;
  #totalSamples = 0;
  #listener: () => void = () => undefined;
  #waiting = false;

  /** first: what was decoded already to see what it is. */
  constructor(
    private readonly bytes: ByteStream,
    private readonly decoder: Decoder,
    first: Float32Array | null,
    private readonly options: SourceOptions,
  ) {
    const { rateHz, frames } = decoder;
    this.samples = frames === null ? null : Math.round((frames * TELEPHONE_RATE_HZ) / rateHz);
    if (this.samples !== null && this.samples > MAX_SECONDS * TELEPHONE_RATE_HZ) throw tooLong();
    this.heldBytes = options.heldBytes;
    this.#loudness = options.loudnessDbm0 === null ? null : new Loudness(options.loudnessDbm0);
    this.#changeRate(rateHz);
    if (first) this.#add(first);
  }

  whenReady(listener: () => void): void {
    this.#listener = listener;
  }

  close(): void {
    this.#listener = () => undefined;
    this.bytes.close();
  }

  read(into: Int16Array): number {
    const wanted = this.#dry ? Math.max(into.length, REFILL_SAMPLES) : into.length;
    const state = this.#fill(wanted);
    if (!this.#finished && this.#readySamples < (this.#dry ? REFILL_SAMPLES : 1)) {
      if (state === "bytes") this.#dry = true;
      this.#wait(state);
      return NOT_YET;
    }
    this.#dry = false;
    const count = this.#give(into);
    if (count === 0 && this.#failure) throw this.#failure;
    return count;
  }

  /** Decodes until so much is ready, or it has to wait for bytes, or for its next turn. */
  #fill(wanted: number): "filled" | "bytes" | "turn" | "decoder" {
    while (this.#readySamples < wanted && !this.#finished) {
      if (this.#turnSamples >= this.#maxTurnSamples) return "turn";
      const piece = this.#next();
      if (piece) this.#add(piece);
      else if (this.decoder.loading) return "decoder";
      else if (!this.bytes.ended) return "bytes";
      else this.#finish();
    }
    return "filled";
  }

  /** null: there is no more, or not yet. What is wrong is told when all that was right has been heard. */
  #next(): Float32Array | null {
    try {
      const piece = nextPiece(this.decoder, this.bytes);
      if (!piece && this.bytes.failure) throw this.bytes.failure;
      if (piece && piece.length > 0 && this.decoder.rateHz !== this.#rateHz) this.#changeRate(this.decoder.rateHz);
      return piece;
    } catch (error) {
      this.#failure = error as Error;
      this.bytes.end();
      return null;
    }
  }

  #add(piece: Float32Array): void {
    this.#turnSamples += PIECE_WORK_SAMPLES;
    const resampled = this.#resampler ? this.#resampler.push(piece) : piece;
    this.#level(resampled);
  }

  #changeRate(rateHz: number): void {
    this.#rates.add(rateHz);
    if (this.#rates.size > MAX_RATES) throw malformed("sound", "its sample rate changes all the time");
    if (this.#resampler) this.#level(this.#resampler.end());
    this.#resampler = rateHz === TELEPHONE_RATE_HZ ? null : new Resampler(rateHz);
    this.#rateHz = rateHz;
  }

  #level(samples: Float32Array): void {
    this.#totalSamples += samples.length;
    if (this.#totalSamples > MAX_SECONDS * TELEPHONE_RATE_HZ && !this.#failure) {
      this.#failure = tooLong();
      this.bytes.end();
      this.#finish();
      return;
    }
    this.#turnSamples += samples.length;
    this.#keep(this.#limiter.push(this.#loudness ? this.#loudness.push(samples) : samples));
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#resampler) this.#level(this.#resampler.end());
    if (this.#loudness) this.#keep(this.#limiter.push(this.#loudness.end()));
    this.#keep(this.#limiter.end());
    this.bytes.close();
  }

  #keep(samples: Float32Array): void {
    if (samples.length === 0) return;
    this.#ready.push(samples);
    this.#readySamples += samples.length;
  }

  #give(into: Int16Array): number {
    let count = 0;
    for (let first = this.#ready[0]; first && count < into.length; first = this.#ready[0]) {
      const part = first.subarray(0, into.length - count);
      for (const value of part) into[count++] = toS16(value);
      if (part.length === first.length) this.#ready.shift();
      else this.#ready[0] = first.subarray(part.length);
    }
    this.#readySamples -= count;
    return count;
  }

  #wait(state: "filled" | "bytes" | "turn" | "decoder"): void {
    if (this.#waiting) return;
    this.#waiting = true;
    const goOn = (): void => {
      this.#waiting = false;
      this.#turnSamples = 0;
      this.#maxTurnSamples = Math.min(2 * this.#maxTurnSamples, TURN_SAMPLES);
      this.#listener();
    };
    if (state === "turn") this.options.later(goOn);
    else {
      const more = state === "decoder" ? this.decoder.loading : this.bytes.change();
      void more?.then(() => this.options.later(goOn));
    }
  }
}
