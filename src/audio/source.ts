/** read(): nothing is there yet, and more is to come. */
export const NOT_YET = -1;

/** Samples to play, pulled in chunks: 8 kHz S16 mono, the telephone's own format. */
export interface PcmSource {
  /** Total length if known. */
  readonly samples: number | null;
  /** Memory that it keeps while it waits, bytes; omitted: two per sample. */
  readonly heldBytes?: number;
  /**
   * Fills `into` from its start; returns how many samples, 0 at the end, NOT_YET where it waits for more to
   * arrive. Synchronous: decodes on demand. Throws what is wrong with the sound.
   */
  read(into: Int16Array): number;
  /** Told each time when there may be something after NOT_YET. One listener; a source without never waits. */
  whenReady?(listener: () => void): void;
  /** Nobody wants the rest. */
  close?(): void;
}

export const TELEPHONE_RATE_HZ = 8000;

/** A sine of full scale on a mu-law line: G.711. */
export const FULL_SCALE_SINE_DBM0 = 3.14;
