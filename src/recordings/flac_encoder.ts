/** S16 samples as a FLAC file that is made from its beginning to its end, by libFLAC. */
import Flac from "libflacjs/dist/libflac.js";

export interface FlacShape {
  channels: 1 | 2;
  rateHz: number;
  /** Samples of each channel. */
  frames: number;
  /** Of all samples, as they lie in a WAV file. */
  md5: Uint8Array;
}

const BITS = 16;
/** libFLAC's own choice: more takes longer for less than a hundredth. */
const LEVEL = 5;
/** In the file: after "fLaC", a block's head, and what STREAMINFO says before it. */
const MD5_OFFSET = 26;

export class FlacEncoder {
  readonly #encoder: number;
  readonly #channels: number;
  #made: Uint8Array[] = [];

  /** Settles when the library can be used. */
  static async ready(): Promise<void> {
    if (!Flac.isReady()) await new Promise<void>((resolve) => Flac.on("ready", () => resolve()));
  }

  constructor({ channels, rateHz, frames, md5 }: FlacShape) {
    this.#channels = channels;
    this.#encoder = Flac.create_libflac_encoder(rateHz, channels, BITS, LEVEL, frames, false);
    if (this.#encoder === 0) throw new Error("libFLAC has no memory");
    const status = Flac.init_encoder_stream(this.#encoder, (bytes) => void this.#made.push(bytes.slice()));
    if (status !== 0) throw new Error(`libFLAC does not begin (${status})`);
    // What libFLAC would go back and write at the end: known beforehand, it can be checked by whoever decodes it.
    const head = Buffer.concat(this.#made);
    head.set(md5, MD5_OFFSET);
    this.#made = [head];
  }

  /** Returns what is finished of the file; it may be empty. */
  push(samples: Int16Array): Uint8Array {
    const wide = Int32Array.from(samples);
    if (!Flac.FLAC__stream_encoder_process_interleaved(this.#encoder, wide, samples.length / this.#channels)) {
      throw new Error("libFLAC does not go on");
    }
    return this.#take();
  }

  end(): Uint8Array {
    if (!Flac.FLAC__stream_encoder_finish(this.#encoder)) throw new Error("libFLAC does not end");
    Flac.FLAC__stream_encoder_delete(this.#encoder);
    return this.#take();
  }

  #take(): Uint8Array {
    const made = Buffer.concat(this.#made);
    this.#made = [];
    return new Uint8Array(made);
  }
}
