/** An API token: what it is, what it may do, and what of it is kept. */

/** Each may do what the ones before it may. */
export const SCOPES = ["read", "control", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export const covers = (held: Scope, needed: Scope): boolean => SCOPES.indexOf(held) >= SCOPES.indexOf(needed);

/** What of a token is kept: never the token. */
export interface Token {
  name: string;
  scope: Scope;
  /** The lines that it may use; null: all. */
  lines: readonly number[] | null;
  /** SHA-256 of the token, hexadecimal. It has 256 random bits: nothing slower makes guessing it any harder. */
  sha256: string;
  /** ISO 8601; null: of the configuration. */
  created_at: string | null;
  /** null: never. */
  expires_at: string | null;
}

/** So that it is recognised where it was left lying, by people and by secret scanners. */
const PREFIX = "dpa_";
const RANDOM_BYTES = 32;

export const newToken = (): string =>
  `${PREFIX}${crypto.getRandomValues(Buffer.alloc(RANDOM_BYTES)).toString("base64url")}`;
export const tokenDigest = (token: string): string => new Bun.CryptoHasher("sha256").update(token).digest("hex");

/** It stands in paths, logs and command lines. */
export const TOKEN_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;
export const TOKEN_NAME_RULE =
  "must be 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first";
export const isSha256 = (text: unknown): text is string => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);

export const isExpired = ({ expires_at }: Token, nowMs: number): boolean =>
  expires_at !== null && Date.parse(expires_at) <= nowMs;

export const isLineList = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= 64 &&
  value.every((line) => Number.isInteger(line) && line >= 1 && line <= 1023); /* DAHDI_MAX_CHANNELS − 1 */

/** An entry of tokens.json that can be relied on. */
export function isToken(value: unknown): value is Token {
  const { name, scope, lines, sha256, created_at, expires_at } = (value ?? {}) as Record<string, unknown>;
  const time = (text: unknown): boolean =>
    text === null || (typeof text === "string" && !Number.isNaN(Date.parse(text)));
  return (
    typeof name === "string" &&
    TOKEN_NAME.test(name) &&
    SCOPES.includes(scope as Scope) &&
    (lines === null || isLineList(lines)) &&
    isSha256(sha256) &&
    time(created_at) &&
    time(expires_at)
  );
}
