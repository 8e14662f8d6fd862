/** Samples that wait, oldest first, up to a bound: one block of memory, held only while any do. */
export class SampleBacklog {
  #ring: Int16Array | null = null;
  #first = 0;
  #count = 0;

  constructor(private readonly capacity: number) {}

  get length(): number {
    return this.#count;
  }

  /** How many fitted. */
  push(samples: Int16Array): number {
    const taken = samples.subarray(0, this.capacity - this.#count);
    if (taken.length === 0) return 0;
    this.#ring ??= new Int16Array(this.capacity);
    const at = (this.#first + this.#count) % this.capacity;
    const before = taken.subarray(0, this.capacity - at);
    this.#ring.set(before, at);
    this.#ring.set(taken.subarray(before.length), 0);
    this.#count += taken.length;
    return taken.length;
  }

  /** Hands the oldest over as far as they are taken. Returns how many were. */
  pour(take: (samples: Int16Array) => number): number {
    let poured = 0;
    while (this.#ring && this.#count > 0) {
      const next = this.#ring.subarray(this.#first, Math.min(this.#first + this.#count, this.capacity));
      const taken = take(next);
      poured += taken;
      this.#first = (this.#first + taken) % this.capacity;
      this.#count -= taken;
      if (taken < next.length) return poured;
    }
    this.clear();
    return poured;
  }

  clear(): void {
    this.#ring = null;
    this.#first = 0;
    this.#count = 0;
  }
}
