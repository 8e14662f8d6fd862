/**
 * Bytes that are used while they still arrive: pushed by whoever receives them, taken by a decoder. Pieces are
 * copied into blocks, so that an upload of single bytes costs no more memory than one of large pieces.
 */
const BLOCK_BYTES = 64 * 1024;

export class ByteStream {
  #blocks: Uint8Array[] = [];
  /** Of the first block, what was taken; of the last one, what is filled. */
  #from = 0;
  #to = BLOCK_BYTES;
  #available = 0;
  #ended = false;
  #failure: Error | null = null;
  #changed: (() => void)[] = [];
  /** Told when bytes were taken: the producer may have room again. */
  onTaken: () => void = () => undefined;
  /** Told when nobody wants the rest. */
  onClosed: () => void = () => undefined;

  /** How many bytes there will be in all; null: not known beforehand. */
  constructor(readonly totalBytes: number | null = null) {}

  static of(bytes: Uint8Array): ByteStream {
    const stream = new ByteStream(bytes.byteLength);
    stream.push(bytes);
    stream.end();
    return stream;
  }

  get available(): number {
    return this.#available;
  }

  /** All of it is here: nothing more comes. */
  get ended(): boolean {
    return this.#ended;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#to === BLOCK_BYTES) {
        this.#blocks.push(new Uint8Array(BLOCK_BYTES));
        this.#to = 0;
      }
      const part = bytes.subarray(at, at + BLOCK_BYTES - this.#to);
      (this.#blocks.at(-1) as Uint8Array).set(part, this.#to);
      this.#to += part.length;
      at += part.length;
    }
    this.#available += bytes.length;
    this.#tell();
  }

  end(): void {
    this.#ended = true;
    this.#tell();
  }

  /** No more can come, and what did come is not all. */
  fail(failure: Error): void {
    this.#failure ??= failure;
    this.#ended = true;
    this.#tell();
  }

  close(): void {
    this.#blocks = [];
    this.#available = 0;
    this.#from = 0;
    this.#to = BLOCK_BYTES;
    this.onClosed();
  }

  /** The byte at a distance from the next one; only of those available. */
  at(offset: number): number {
    const place = this.#from + offset;
    return (this.#blocks[Math.floor(place / BLOCK_BYTES)] as Uint8Array)[place % BLOCK_BYTES] as number;
  }

  /** The next bytes without taking them, fewer where there are not so many. Valid until bytes are taken. */
  peek(count: number): Uint8Array {
    const length = Math.min(count, this.#available);
    const first = this.#blocks[0];
    if (!first || length === 0) return new Uint8Array(0);
    if (this.#from + length <= BLOCK_BYTES) return first.subarray(this.#from, this.#from + length);
    const whole = new Uint8Array(length);
    let filled = 0;
    for (let block = 0; filled < length; block++) {
      const from = block === 0 ? this.#from : 0;
      const part = (this.#blocks[block] as Uint8Array).subarray(from, from + length - filled);
      whole.set(part, filled);
      filled += part.length;
    }
    return whole;
  }

  take(count: number): Uint8Array {
    const bytes = this.peek(count);
    this.skip(bytes.length);
    return bytes;
  }

  /** Returns how many there were to pass over. */
  skip(count: number): number {
    const length = Math.min(count, this.#available);
    this.#from += length;
    this.#available -= length;
    while (this.#from >= BLOCK_BYTES && this.#blocks.length > 0) {
      this.#blocks.shift();
      this.#from -= BLOCK_BYTES;
    }
    if (length > 0) this.onTaken();
    return length;
  }

  /** Passes over so many as they come. Whether all of them did; throws what went wrong on the way. */
  async pass(count: number): Promise<boolean> {
    for (let left = count; ; ) {
      left -= this.skip(left);
      if (left === 0) return true;
      await this.atLeast(1);
      if (this.#available === 0) return false;
    }
  }

  /** Settles when there is more, or no more. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  /** Settles when so many are there, or no more come; throws what went wrong on the way. */
  async atLeast(count: number): Promise<void> {
    while (this.#available < count && !this.#ended) await this.change();
    if (this.#available < count && this.#failure) throw this.#failure;
  }

  #tell(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const tell of changed) tell();
  }
}
