/** What a line hears and is sent, in blocks of 20 ms, out of the engine: native/dahdi_shim.h, "the tap". */
import { BLOCK_SAMPLES, TapBlockOffset } from "./abi.gen";

export interface TapBlock {
  /** Engine time, ns, when its last sample was on the line. */
  atNs: number;
  /** Of the open that it came of. */
  tap: number;
  /** Its number in that tap, from 0: what is missing was lost. */
  block: number;
  /** Both are valid until the next read. */
  heard: Int16Array;
  sent: Int16Array;
}

/** Read at once: 1.3 s. */
const READ_BLOCKS = 64;

export class TapBuffer {
  readonly #bytes = new Uint8Array(READ_BLOCKS * TapBlockOffset.size);
  readonly #view = new DataView(this.#bytes.buffer);

  /** Hands over up to `max` blocks; `copy` fills the bytes and returns how many came. Returns how many there were. */
  read(max: number, copy: (into: Uint8Array, max: number) => number, deliver: (block: TapBlock) => void): number {
    let read = 0;
    while (read < max) {
      const wanted = Math.min(READ_BLOCKS, max - read);
      const count = copy(this.#bytes, wanted);
      for (let i = 0; i < count; i++) deliver(this.#block(i * TapBlockOffset.size));
      read += count;
      if (count < wanted) break;
    }
    return read;
  }

  #block(at: number): TapBlock {
    const samples = (offset: number): Int16Array => new Int16Array(this.#bytes.buffer, at + offset, BLOCK_SAMPLES);
    const ns = at + TapBlockOffset.time_ns;
    return {
      atNs: this.#view.getInt32(ns + 4, true) * 2 ** 32 + this.#view.getUint32(ns, true),
      tap: this.#view.getUint32(at + TapBlockOffset.tap, true),
      block: this.#view.getInt32(at + TapBlockOffset.block, true),
      heard: samples(TapBlockOffset.heard),
      sent: samples(TapBlockOffset.sent),
    };
  }
}
