/**
 * The newest entries of the last minutes: bounded in number and in age, and nothing is allocated once it is full. Pure:
 * time comes in with every entry.
 */
export class RecordingRing<Entry> {
  readonly #entries: (Entry | undefined)[];
  readonly #atNs: Float64Array;
  /** Ever pushed, ever left. */
  #pushed = 0;
  #left = 0;
  /** Left before their time, because there was no room. */
  #crowdedOut = 0;

  constructor(
    readonly capacity: number,
    private readonly maxAgeNs: number,
    /** What leaves, oldest first: for who keeps what it means. */
    private readonly onLeave: (entry: Entry) => void,
  ) {
    this.#entries = new Array<Entry | undefined>(capacity);
    this.#atNs = new Float64Array(capacity);
  }

  push(atNs: number, entry: Entry): void {
    this.expire(atNs);
    if (this.#pushed - this.#left === this.capacity) {
      this.#crowdedOut++;
      this.#leave();
    }
    const place = this.#pushed % this.capacity;
    this.#entries[place] = entry;
    this.#atNs[place] = atNs;
    this.#pushed++;
  }

  /** Lets go of what is too old at nowNs. */
  expire(nowNs: number): void {
    while (this.#left < this.#pushed && nowNs - (this.#atNs[this.#left % this.capacity] as number) > this.maxAgeNs)
      this.#leave();
  }

  get size(): number {
    return this.#pushed - this.#left;
  }

  get crowdedOut(): number {
    return this.#crowdedOut;
  }

  /** Oldest first. */
  *[Symbol.iterator](): Generator<{ atNs: number; entry: Entry }> {
    for (let i = this.#left; i < this.#pushed; i++) {
      const place = i % this.capacity;
      yield { atNs: this.#atNs[place] as number, entry: this.#entries[place] as Entry };
    }
  }

  #leave(): void {
    const place = this.#left % this.capacity;
    const entry = this.#entries[place] as Entry;
    this.#entries[place] = undefined;
    this.#left++;
    this.onLeave(entry);
  }
}
