/** Samples to play, pulled in chunks: 8 kHz S16 mono, the telephone's own format. */
export interface PcmSource {
  /** Total length if known. */
  readonly samples: number | null;
  /** Memory that it keeps while it waits, bytes; omitted: two per sample. */
  readonly heldBytes?: number;
  /** Fills `into` from its start; returns how many samples, 0 at the end. Synchronous: decodes on demand. */
  read(into: Int16Array): number;
}

export const TELEPHONE_RATE_HZ = 8000;

/** A sine of full scale on a mu-law line: G.711. */
export const FULL_SCALE_SINE_DBM0 = 3.14;
