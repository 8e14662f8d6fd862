/** What a key of the configuration may hold: small checks to build a schema from. */

/** A leaf: what it may be, what it is when nobody says otherwise, and why. */
export interface Leaf {
  value: unknown;
  /** Returns the value to keep, or a sentence on what is allowed. */
  check: (value: unknown) => { ok: unknown } | { wrong: string };
}

const unquoted = (given: unknown): string =>
  typeof given === "string" && given.trim() !== "" && Number.isFinite(Number(given)) ? ", without quotes" : "";

export const whole = (value: number, low: number, high: number): Leaf => ({
  value,
  check: (given) =>
    Number.isInteger(given) && (given as number) >= low && (given as number) <= high
      ? { ok: given }
      : { wrong: `must be a whole number from ${low} to ${high}${unquoted(given)}` },
});
export const number = (value: number, low: number, high: number): Leaf => ({
  value,
  check: (given) =>
    typeof given === "number" && given >= low && given <= high
      ? { ok: given }
      : { wrong: `must be a number from ${low} to ${high}${unquoted(given)}` },
});
export const oneOf = (value: string, ...allowed: readonly string[]): Leaf => ({
  value,
  check: (given) =>
    typeof given === "string" && allowed.includes(given.toLowerCase())
      ? { ok: given.toLowerCase() }
      : { wrong: `must be one of ${allowed.join(", ")}` },
});
export const text = (value: string): Leaf => ({
  value,
  check: (given) => (typeof given === "string" && given !== "" ? { ok: given } : { wrong: "must be a text" }),
});
/** The system ends a path at its first NUL. */
export const isPath = (given: unknown): given is string =>
  typeof given === "string" && given.startsWith("/") && !given.includes("\0");
/** A folder's or a file's place, in full; not given: null. */
export const path = (): Leaf => ({
  value: null,
  check: (given) =>
    given === null || isPath(given) ? { ok: given } : { wrong: "must be a path that begins with /" },
});
export const flag = (value: boolean): Leaf => ({
  value,
  check: (given) =>
    typeof given === "boolean" ? { ok: given } : { wrong: "must be true or false, without quotes" },
});
export const fixed = (value: number, why: string): Leaf => ({
  value,
  check: (given) => (given === value ? { ok: given } : { wrong: `must be ${value}: ${why}` }),
});
/** Of the contract, and of a later version: taken silently it would be believed to work. */
export const notYet: Leaf = {
  value: undefined,
  check: () => ({ wrong: "does nothing in this version, and so is not taken: remove it" }),
};

/** A list of mappings, each by the same schema. */
export interface ListOf {
  item: Schema;
  required: readonly string[];
  /** What to do about one that is missing. */
  requiredHints?: Readonly<Record<string, string>>;
  /** What no single key can tell, of one item among those before it. */
  checkItem(item: Record<string, unknown>, before: readonly Record<string, unknown>[]): readonly ItemFault[];
}
export interface ItemFault {
  key: string;
  wrong: string;
}

export type Schema = { readonly [key: string]: Schema | Leaf | ListOf };
export const isList = (node: Schema | Leaf | ListOf | undefined): node is ListOf =>
  typeof (node as ListOf | undefined)?.checkItem === "function";
export const isLeaf = (node: Schema | Leaf | ListOf | undefined): node is Leaf =>
  typeof (node as Leaf | undefined)?.check === "function";
