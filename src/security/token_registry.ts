/** All tokens that count: of the configuration, and of tokens.json as it is now. */
import { isExpired, newToken, type Scope, type Token, tokenDigest } from "./token";
import { MAX_TOKENS, type TokenFile } from "./token_file";

/** What the command line changed is noticed after this. */
const LOOK_MS = 500;

const UNKNOWN_TOKEN = "There is no token of that name: GET /tokens, or dahdi-phone-api token list, shows them.";

export type TokenFault = "token_exists" | "unknown_token" | "configured_token" | "too_many_tokens";

/** A token cannot be made or revoked. */
export class TokenError extends Error {
  constructor(
    readonly fault: TokenFault,
    message: string,
  ) {
    super(message);
  }
}

export interface NewToken {
  name: string;
  scope: Scope;
  lines: readonly number[] | null;
  /** null: never. */
  expiresAtMs: number | null;
}

/** Shown once. */
export interface MadeToken {
  token: Token;
  secret: string;
}

/** show: before the token counts. What it throws is thrown, and there is no token. */
export function makeToken(
  file: TokenFile,
  wanted: NewToken,
  nowMs: number,
  show: (secret: string) => void = () => undefined,
): MadeToken {
  const secret = newToken();
  const token: Token = {
    name: wanted.name,
    scope: wanted.scope,
    lines: wanted.lines,
    sha256: tokenDigest(secret),
    created_at: new Date(nowMs).toISOString(),
    expires_at: wanted.expiresAtMs === null ? null : new Date(wanted.expiresAtMs).toISOString(),
  };
  const added = (tokens: readonly Token[]): Token[] => {
    if (tokens.some(({ name }) => name === token.name)) {
      throw new TokenError(
        "token_exists",
        `There is a token ${token.name} already: revoke it, or take another name.`,
      );
    }
    if (tokens.length >= MAX_TOKENS) {
      throw new TokenError("too_many_tokens", `There are ${MAX_TOKENS} tokens: revoke what nobody uses.`);
    }
    return [...tokens, token];
  };
  file.change(added, () => show(secret));
  return { token, secret };
}

export function revokeToken(file: TokenFile, name: string): void {
  file.change((tokens) => {
    const rest = tokens.filter((token) => token.name !== name);
    if (rest.length < tokens.length) return rest;
    throw new TokenError("unknown_token", UNKNOWN_TOKEN);
  });
}

export interface RegistryOptions {
  configured: readonly Token[];
  /** null: there is no state folder. */
  file: TokenFile | null;
  /** Even without any token: the address is open to the network. */
  always: boolean;
  /** A file that turned bad while we run. Told once each time. */
  complain(message: string): void;
}

interface Entry {
  token: Token;
  digest: Buffer;
}

export class TokenRegistry {
  /** Nobody may do anything without a token. A field: it is asked for by every request. */
  required = false;
  #entries: Entry[] = [];
  #stamp: string | null = null;
  readonly #usedAtMs = new Map<string, number>();
  readonly #changed: (() => void)[] = [];
  readonly #looks: ReturnType<typeof setInterval> | null = null;

  constructor(private readonly options: RegistryOptions) {
    const { file } = options;
    this.#stamp = file?.stamp() ?? null;
    this.#take(file?.read() ?? []);
    if (!file) return;
    this.#looks = setInterval(() => this.look(), LOOK_MS);
    this.#looks.unref();
  }

  find(secret: string, nowMs: number): Token | null {
    const digest = Buffer.from(tokenDigest(secret), "hex");
    let found = this.#compared(digest);
    if (found === null) {
      this.look(); // it may have been made a moment ago
      found = this.#compared(digest);
    }
    if (found === null || isExpired(found, nowMs)) return null;
    this.#usedAtMs.set(found.name, nowMs);
    return found;
  }

  /** Every token is compared, and each in the same time, whatever was sent. */
  #compared(digest: Buffer): Token | null {
    const { timingSafeEqual } = process.getBuiltinModule("node:crypto"); // 3 ms of a start that has no token
    let found: Token | null = null;
    for (const entry of this.#entries) if (timingSafeEqual(entry.digest, digest)) found = entry.token;
    return found;
  }

  /** Would it still be accepted? For connections that last; null: one that came without. */
  isCurrent(held: Token | null, nowMs: number): boolean {
    if (held === null) return !this.required;
    return this.#entries.some(
      ({ token }) => token.name === held.name && token.sha256 === held.sha256 && !isExpired(token, nowMs),
    );
  }

  list(): { token: Token; usedAtMs: number | null }[] {
    return this.#entries.map(({ token }) => ({ token, usedAtMs: this.#usedAtMs.get(token.name) ?? null }));
  }

  /** null: there is no place to keep it. */
  create(wanted: NewToken, nowMs: number): MadeToken | null {
    const { file, configured } = this.options;
    if (configured.some(({ name }) => name === wanted.name)) {
      throw new TokenError("token_exists", `The configuration has a token ${wanted.name}: take another name.`);
    }
    if (!file) return null;
    const made = makeToken(file, wanted, nowMs);
    this.look();
    return made;
  }

  revoke(name: string): void {
    const { file, configured } = this.options;
    if (configured.some((token) => token.name === name)) {
      throw new TokenError("configured_token", `${name} stands in security.api_tokens: remove it there.`);
    }
    if (!file) throw new TokenError("unknown_token", UNKNOWN_TOKEN);
    revokeToken(file, name);
    this.look();
  }

  /** Asked again of every lasting connection when tokens change. */
  onChange(listener: () => void): void {
    this.#changed.push(listener);
  }

  /** Takes what has changed. A file that is gone or damaged changes nothing: it must not open the door. */
  look(): void {
    const { file, complain } = this.options;
    if (!file) return;
    const stamp = file.stamp();
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    if (stamp === null) {
      complain(`${file.path} is gone: its tokens count until the next start`);
      return;
    }
    try {
      this.#take(file.read());
    } catch (error) {
      complain(`${(error as Error).message}; the tokens before count until then`);
    }
  }

  stop(): void {
    if (this.#looks) clearInterval(this.#looks);
  }

  #take(stored: readonly Token[]): void {
    const { configured, always } = this.options;
    const names = new Set(configured.map(({ name }) => name));
    const tokens = [...configured, ...stored.filter(({ name }) => !names.has(name))];
    this.#entries = tokens.map((token) => ({ token, digest: Buffer.from(token.sha256, "hex") }));
    // An expired token keeps the door shut: it was meant to end, not to let everybody in.
    this.required = always || tokens.length > 0;
    for (const listener of this.#changed) listener();
  }
}
