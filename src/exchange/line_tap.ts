/** One line's tap, shared: open while somebody listens, read as far as the driver told, handed to every listener. */
import { BLOCK_SAMPLES } from "../driver/abi.gen";
import type { DriverEvent } from "../driver/decode";
import type { Port } from "../driver/port";
import { type TapBlock, TapBuffer } from "../driver/tap";

export type { TapBlock };

export interface TapListener {
  /** Blocks of 20 ms after which it wants to be called, at the latest. */
  everyBlocks: number;
  /** In their order; the samples are its only during the call. lostBefore: blocks that nobody read in time. */
  block(block: TapBlock, lostBefore: number): void;
  /** Those that came together are all handed over. */
  delivered?(): void;
}

export const TAP_BLOCK_SAMPLES = BLOCK_SAMPLES;

const discard = (): void => undefined;

export class LineTap {
  readonly #listeners = new Set<TapListener>();
  readonly #buffer = new TapBuffer();
  /** null: closed, or not accepted yet. */
  #number: number | null = null;
  #everyBlocks = 0;
  /** The number of the block that comes next. */
  #next = 0;

  constructor(private readonly port: Port) {}

  /** From now on. Returns how to stop it. Rejects nothing: a tap that the engine refuses gives no blocks. */
  listen(listener: TapListener): () => void {
    this.#listeners.add(listener);
    this.#adjust();
    return () => {
      if (!this.#listeners.delete(listener)) return;
      this.#adjust();
    };
  }

  handle(event: DriverEvent): void {
    if (event.kind !== "tap_blocks" || event.tap !== this.#number) return;
    // Not further: of what comes after it, the events are not handled yet.
    this.#read(event.blocks - this.#next);
  }

  /** All that the line has heard until now. */
  readAll(): void {
    this.#read(Number.POSITIVE_INFINITY);
  }

  #read(max: number): void {
    if (this.#number === null || max <= 0) return;
    let delivered = 0;
    this.#buffer.read(
      max,
      (into, count) => this.port.tapRead(into, count),
      (block) => {
        if (block.tap !== this.#number) return; // left behind by the tap before
        const lost = block.block - this.#next;
        this.#next = block.block + 1;
        delivered++;
        for (const listener of [...this.#listeners]) listener.block(block, lost);
      },
    );
    if (delivered > 0) for (const listener of [...this.#listeners]) listener.delivered?.();
  }

  #adjust(): void {
    const every = Math.min(...[...this.#listeners].map(({ everyBlocks }) => everyBlocks));
    if (!Number.isFinite(every)) {
      this.#everyBlocks = 0;
      this.#number = null;
      this.port.tapClose().catch(() => undefined); // an engine that is gone has no tap
      return;
    }
    if (every === this.#everyBlocks) return;
    const opening = this.#everyBlocks === 0;
    if (opening)
      this.#buffer.read(Number.POSITIVE_INFINITY, (into, count) => this.port.tapRead(into, count), discard);
    this.#everyBlocks = every;
    this.port
      .tapOpen(every, (sequence) => {
        if (!opening) return;
        this.#number = sequence;
        this.#next = 0;
      })
      .catch(() => undefined);
  }
}
