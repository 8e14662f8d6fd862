/** The keys about who may do what, and how often. */
import { isLineList, isSha256, SCOPES, type Scope, TOKEN_NAME, type Token, tokenDigest } from "../security/token";
import type { Leaf } from "./leaf";

/** auto: a bound for other machines, none for this one. */
export type RateLimit = "auto" | { requests_per_second: number; burst: number };

const MIN_TOKEN_LENGTH = 16;
const HOW = "echo dpa_$(openssl rand -hex 32)";
const KEYS = ["name", "token", "token_sha256", "scope", "lines"];

/** One of security.api_tokens; a sentence on what is wrong with it. Never with the token in it. */
function configuredToken(given: unknown, i: number): Token | string {
  const item = typeof given === "string" ? { token: given, scope: "admin" } : given;
  if (item === null || typeof item !== "object" || Array.isArray(item)) {
    return "must be a text, or {name, token or token_sha256, scope, lines}";
  }
  const { name = `config-${i + 1}`, token, token_sha256, scope, lines = null } = item as Record<string, unknown>;
  if (!Object.keys(item).every((key) => KEYS.includes(key))) return `knows ${KEYS.join(", ")} only`;
  if (typeof name !== "string" || !TOKEN_NAME.test(name))
    return "must have a name of up to 64 letters, digits, . _ and -";
  if (!SCOPES.includes(scope as Scope)) return `must have a scope: ${SCOPES.join(", ")}`;
  if (lines !== null && !isLineList(lines)) return "must have lines such as [1, 2], or none";
  const common = { name, scope: scope as Scope, lines, created_at: null, expires_at: null };
  if (token_sha256 !== undefined) {
    if (token !== undefined) return "has a token and its token_sha256: keep one";
    const sha256 = typeof token_sha256 === "string" ? token_sha256.toLowerCase() : token_sha256;
    return isSha256(sha256) ? { ...common, sha256 } : "must have 64 hexadecimal digits as token_sha256";
  }
  if (typeof token !== "string" || token.length < MIN_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
    return `must be a token of at least ${MIN_TOKEN_LENGTH} characters without a space, which nobody can guess: ${HOW}`;
  }
  return { ...common, sha256: tokenDigest(token) };
}

/** What is kept of them is their hashes. */
export const apiTokens: Leaf = {
  value: [],
  check: (given) => {
    if (!Array.isArray(given) || given.length > 100) return { wrong: "must be a list of up to 100 tokens" };
    const tokens: Token[] = [];
    const wrong: string[] = [];
    for (const [i, item] of given.entries()) {
      const token = configuredToken(item, i);
      if (typeof token === "string") wrong.push(`the ${i + 1}. ${token}`);
      else if (tokens.some(({ name, sha256 }) => name === token.name || sha256 === token.sha256)) {
        wrong.push(`the ${i + 1}. stands twice: names and tokens differ`);
      } else tokens.push(token);
    }
    return wrong.length === 0 ? { ok: tokens } : { wrong: wrong.join("; ") };
  },
};

export const origins: Leaf = {
  value: [],
  check: (given) => {
    const fine =
      Array.isArray(given) &&
      given.length <= 100 &&
      given.every(
        (origin) =>
          origin === "*" ||
          (typeof origin === "string" &&
            URL.canParse(origin) &&
            (new URL(origin).origin === origin.toLowerCase() || /^[a-z-]+-extension:\/\/[^/]+$/.test(origin))),
      );
    return fine
      ? { ok: given }
      : { wrong: 'must be a list of origins, such as ["https://example.org"], or ["*"]' };
  },
};

export const hostnames: Leaf = {
  value: [],
  check: (given) =>
    Array.isArray(given) &&
    given.length <= 100 &&
    given.every((name) => name === "*" || (typeof name === "string" && /^[a-z0-9._-]{1,253}$/i.test(name)))
      ? { ok: given }
      : { wrong: 'must be a list of names without port, such as ["phone.example.org"], or ["*"]' },
};

const MAX_PER_SECOND = 1_000_000;
const count = (given: unknown): given is number =>
  Number.isInteger(given) && (given as number) >= 0 && (given as number) <= MAX_PER_SECOND;

export const rateLimit: Leaf = {
  value: "auto",
  check: (given) => {
    if (given === "auto") return { ok: given };
    // The older server had a number alone.
    const item = count(given) ? { requests_per_second: given } : given;
    const { requests_per_second, burst, ...rest } = (item ?? {}) as Record<string, unknown>;
    const fine =
      count(requests_per_second) &&
      (burst === undefined || (count(burst) && burst > 0)) &&
      Object.keys(rest).length === 0;
    return fine
      ? { ok: { requests_per_second, burst: burst ?? Math.max(1, requests_per_second * 2) } }
      : { wrong: "must be auto, or {requests_per_second, burst}, whole numbers; 0 requests_per_second: off" };
  },
};

export const perAddress: Leaf = {
  value: "auto",
  check: (given) =>
    given === "auto" || (count(given) && given <= 100_000)
      ? { ok: given }
      : { wrong: "must be auto, or a whole number from 0 (no bound) to 100000" },
};
