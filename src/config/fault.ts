/** What is wrong with a configuration: all of it at once, each with where it stands, so that it is mended in one go. */

export interface ConfigFault {
  /** A file with its line, or what else it comes from. */
  where: string;
  /** Dotted; null: it is no key's fault. */
  key: string | null;
  /** What it must be. Without a secret in it. */
  wrong: string;
}

/** More are counted, and not told one by one. */
const MAX_TOLD = 20;

const lineOf = ({ where, key, wrong }: ConfigFault): string =>
  key === null ? `${where}: ${wrong}` : `${where}: ${key}: ${wrong}`;

/** One line for each: FILE:LINE: KEY: what is wrong. */
export class ConfigError extends Error {
  /** At most MAX_TOLD. */
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const told = faults.slice(0, MAX_TOLD);
    const more = faults.length - told.length;
    super([...told.map(lineOf), ...(more > 0 ? [`and ${more} more`] : [])].join("\n"));
    this.faults = told;
  }

  /** For a log or a problem's detail. */
  get oneLine(): string {
    return this.message.replaceAll("\n", "; ");
  }
}

/** Gathers them while a configuration is read. */
export class Faults {
  readonly #all: ConfigFault[] = [];
  readonly #wrongKeys = new Set<string>();
  readonly #places = new Map<string, string>();

  constructor(
    /** Where a key is that stands nowhere. */
    private readonly nowhere: string,
  ) {}

  /** A key was read there. One that stands twice is believed in neither place. */
  stands(key: string, where: string): void {
    if (this.#places.get(key)?.startsWith(this.nowhere) && where.startsWith(this.nowhere))
      this.#wrongKeys.add(key);
    this.#places.set(key, where);
  }

  add(where: string, key: string | null, wrong: string): void {
    this.#all.push({ where, key, wrong });
    if (key !== null) this.#wrongKeys.add(key);
  }

  /** What no single key can tell; the first is named. Silent where one of them is wrong by itself: that comes first. */
  addTogether(keys: readonly [string, ...string[]], wrong: string): void {
    if (keys.some((key) => this.#isWrong(key))) return;
    this.add(this.where(...keys), keys[0], wrong);
  }

  /** Of the first of them that stands somewhere. */
  where(...keys: string[]): string {
    const stands = keys.find((key) => this.#places.has(key));
    return (stands && this.#places.get(stands)) ?? this.nowhere;
  }

  #isWrong(key: string): boolean {
    return [...this.#wrongKeys].some(
      (wrong) => wrong === key || wrong.startsWith(`${key}.`) || key.startsWith(`${wrong}.`),
    );
  }

  throwIfAny(): void {
    if (this.#all.length > 0) throw new ConfigError(this.#all);
  }
}
