/** The last minutes of one line's sound, both ways, in mu-law: 320 bytes for 20 ms, allocated as it is needed. */
import { ulawOfS16 } from "../audio/g711";
import type { TapBlock } from "../driver/tap";

const BLOCK_SAMPLES = 160;
const BLOCK_BYTES = 2 * BLOCK_SAMPLES;
/** 10 s: 160 kB. */
const CHUNK_BLOCKS = 500;
const BLOCKS_PER_MINUTE = 3000;

export interface SoundBlock {
  /** Engine time, ns, when its last sample was on the line. */
  atNs: number;
  /** Mu-law, valid until the next block is kept. */
  heard: Uint8Array;
  sent: Uint8Array;
}

export class SoundRing {
  readonly #capacity: number;
  readonly #chunks: Uint8Array[] = [];
  readonly #atNs: Float64Array;
  #kept = 0;

  constructor(private readonly minutes: number) {
    this.#capacity = minutes * BLOCKS_PER_MINUTE;
    this.#atNs = new Float64Array(this.#capacity);
  }

  keep({ atNs, heard, sent }: Pick<TapBlock, "atNs" | "heard" | "sent">): void {
    const place = this.#kept % this.#capacity;
    this.#kept++;
    this.#atNs[place] = atNs;
    const bytes = this.#bytes(place);
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      bytes[i] = ulawOfS16(heard[i] as number);
      bytes[BLOCK_SAMPLES + i] = ulawOfS16(sent[i] as number);
    }
  }

  /** Those of the last minutes before nowNs, oldest first. */
  *blocks(nowNs: number): Generator<SoundBlock> {
    const sinceNs = nowNs - this.minutes * 60e9;
    for (let i = Math.max(0, this.#kept - this.#capacity); i < this.#kept; i++) {
      const place = i % this.#capacity;
      const atNs = this.#atNs[place] as number;
      if (atNs < sinceNs) continue;
      const bytes = this.#bytes(place);
      yield { atNs, heard: bytes.subarray(0, BLOCK_SAMPLES), sent: bytes.subarray(BLOCK_SAMPLES) };
    }
  }

  #bytes(place: number): Uint8Array {
    const chunk = Math.floor(place / CHUNK_BLOCKS);
    this.#chunks[chunk] ??= new Uint8Array(CHUNK_BLOCKS * BLOCK_BYTES);
    const at = (place % CHUNK_BLOCKS) * BLOCK_BYTES;
    return this.#chunks[chunk].subarray(at, at + BLOCK_BYTES);
  }
}
