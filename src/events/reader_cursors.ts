/** How far each reader of the log got by itself, as webhooks do: known here, and on the disk a moment later. */

/** Called where a reader turns out to be farther back than it was told. */
export type WoundBack = (name: string, id: number) => void;

export class ReaderCursors {
  readonly #ids = new Map<string, number>();
  readonly #changed = new Set<string>();
  /** Asked for before the disk could tell. */
  readonly #unsure = new Set<string>();
  readonly #readers = new Set<WoundBack>();
  #diskHasTold = false;
  #logWasLost = false;

  constructor(
    /** There is something to write. */
    private readonly onChange: () => void,
  ) {}

  /**
   * undefined: a reader by this name is new. 0 where the log that knew was lost: then everything before may be, and
   * that is a gap for it.
   */
  get(name: string): number | undefined {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    if (!this.#diskHasTold) this.#unsure.add(name);
    if (!this.#logWasLost) return undefined;
    this.save(name, 0);
    return 0;
  }

  save(name: string, id: number): void {
    this.#ids.set(name, id);
    this.#changed.add(name);
    this.onChange();
  }

  onWoundBack(reader: WoundBack): void {
    this.#readers.add(reader);
  }

  /** The disk tells what it has. What was saved meanwhile is newer, but for a reader who began without knowing. */
  found(stored: readonly [string, number][], logWasLost: boolean): void {
    this.#diskHasTold = true;
    this.#logWasLost ||= logWasLost;
    const ids = new Map(stored);
    for (const [name, id] of ids) if (!this.#ids.has(name)) this.#ids.set(name, id);
    for (const name of this.#unsure) {
      const id = ids.get(name) ?? (this.#logWasLost ? 0 : undefined);
      if (id === undefined || id >= (this.#ids.get(name) ?? 0)) continue;
      this.save(name, id);
      for (const reader of this.#readers) reader(name, id);
    }
    this.#unsure.clear();
  }

  get changed(): boolean {
    return this.#changed.size > 0;
  }

  /** All are to be written again. */
  changeAll(): void {
    for (const name of this.#ids.keys()) this.#changed.add(name);
  }

  takeChanged(): [string, number][] {
    const taken = [...this.#changed].map((name): [string, number] => [name, this.#ids.get(name) ?? 0]);
    this.#changed.clear();
    return taken;
  }
}
