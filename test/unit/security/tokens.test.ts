import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { covers, isToken, newToken, SCOPES, tokenDigest } from "../../../src/security/token";
import { hasTokens, MAX_TOKENS, TokenFile, TokenFileError } from "../../../src/security/token_file";
import {
  makeToken,
  type NewToken,
  revokeToken,
  TokenError,
  TokenRegistry,
} from "../../../src/security/token_registry";

const root = mkdtempSync(join(tmpdir(), "dahdi-tokens-"));
afterAll(() => rmSync(root, { recursive: true }));

const NOW_MS = Date.UTC(2026, 0, 29);
const wanted = (name: string, more: Partial<NewToken> = {}): NewToken => ({
  name,
  scope: "control",
  lines: null,
  expiresAtMs: null,
  ...more,
});

let folder: string;
let file: TokenFile;
let complaints: string[];
beforeEach(() => {
  folder = mkdtempSync(join(root, "state-"));
  file = new TokenFile(folder);
  complaints = [];
});

const registry = (more: Partial<ConstructorParameters<typeof TokenRegistry>[0]> = {}): TokenRegistry =>
  new TokenRegistry({ configured: [], file, always: false, complain: (text) => complaints.push(text), ...more });

describe("a token", () => {
  test("has 256 random bits behind its prefix, and no two are alike", () => {
    const made = new Set(Array.from({ length: 100 }, newToken));
    expect(made.size).toBe(100);
    for (const token of made) expect(token).toMatch(/^dpa_[\w-]{43}$/);
  });

  test("of a scope may what the scopes before it may", () => {
    for (const [held, i] of SCOPES.map((scope, i) => [scope, i] as const))
      for (const [needed, j] of SCOPES.map((scope, j) => [scope, j] as const))
        expect(covers(held, needed)).toBe(i >= j);
  });

  test.each([
    [{ name: "" }],
    [{ name: "a/b" }],
    [{ name: "-a" }],
    [{ scope: "root" }],
    [{ lines: [] }],
    [{ lines: [0] }],
    [{ sha256: "ab" }],
    [{ sha256: 5 }],
    [{ expires_at: "tomorrow" }],
  ])("of the file is not taken with %j", (wrong) => {
    const right = {
      name: "a",
      scope: "read",
      lines: [1],
      sha256: "ab".repeat(32),
      created_at: null,
      expires_at: null,
    };
    expect(isToken(right)).toBe(true);
    expect(isToken({ ...right, ...wrong })).toBe(false);
    expect(isToken(null)).toBe(false);
  });
});

describe("tokens.json", () => {
  test("holds hashes, for its owner alone", () => {
    const { secret, token } = makeToken(file, wanted("a"), NOW_MS);
    const text = readFileSync(file.path, "utf8");
    expect(text).not.toContain(secret);
    expect(text).toContain(tokenDigest(secret));
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    expect(file.read()).toEqual([token]);
    expect(existsSync(`${file.path}.lock`)).toBe(false);
  });

  test("a name is given once, and a change that fails changes nothing", () => {
    makeToken(file, wanted("a"), NOW_MS);
    const before = readFileSync(file.path, "utf8");
    expect(() => makeToken(file, wanted("a"), NOW_MS)).toThrow(TokenError);
    expect(() => revokeToken(file, "b")).toThrow(TokenError);
    expect(readFileSync(file.path, "utf8")).toBe(before);
    revokeToken(file, "a");
    expect(file.read()).toEqual([]);
  });

  test("there are not too many", () => {
    for (let i = 0; i < MAX_TOKENS; i++) makeToken(file, wanted(`t${i}`), NOW_MS);
    expect(() => makeToken(file, wanted("more"), NOW_MS)).toThrow(/100 tokens/);
  });

  test("whoever changes it waits for the other, and not for one who died", () => {
    makeToken(file, wanted("a"), NOW_MS);
    writeFileSync(`${file.path}.lock`, "");
    expect(() => makeToken(file, wanted("b"), NOW_MS)).toThrow(/is being changed/);
    utimesSync(`${file.path}.lock`, 0, 0);
    makeToken(file, wanted("b"), NOW_MS);
    expect(file.read().map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test.each(["", "{", "[]", '{"tokens":{}}', '{"tokens":[{"name":"a"}]}'])(
    "damaged as %j is said, never taken for none",
    (text) => {
      writeFileSync(file.path, text);
      expect(() => file.read()).toThrow(TokenFileError);
      expect(() => registry()).toThrow(TokenFileError);
      expect(hasTokens(folder)).toBe(true);
    },
  );

  test("is there a token?", () => {
    expect(hasTokens(null)).toBe(false);
    expect(hasTokens(folder)).toBe(false);
    makeToken(file, wanted("a"), NOW_MS);
    expect(hasTokens(folder)).toBe(true);
    revokeToken(file, "a");
    expect(hasTokens(folder)).toBe(false);
  });

  test("where it cannot be written that is said", () => {
    const place = join(folder, "file");
    writeFileSync(place, "");
    chmodSync(place, 0o600);
    expect(() => makeToken(new TokenFile(join(place, "below")), wanted("a"), NOW_MS)).toThrow(
      /cannot be written \(E/,
    );
  });
});

describe("the tokens that count", () => {
  test("none: nothing is needed; one: it is, and only it opens", () => {
    const tokens = registry();
    expect(tokens.required).toBe(false);
    const made = tokens.create(wanted("a"), NOW_MS);
    expect(tokens.required).toBe(true);
    expect(tokens.find(made?.secret ?? "", NOW_MS)?.name).toBe("a");
    expect(tokens.find(`${made?.secret}x`, NOW_MS)).toBeNull();
    expect(tokens.find("", NOW_MS)).toBeNull();
    expect(tokens.list()).toMatchObject([{ token: { name: "a" }, usedAtMs: NOW_MS }]);
    tokens.revoke("a");
    expect(tokens.find(made?.secret ?? "", NOW_MS)).toBeNull();
    expect(tokens.required).toBe(false);
    tokens.stop();
  });

  test("on an open address they are needed even when none is left", () => {
    const tokens = registry({ always: true });
    expect(tokens.required).toBe(true);
    tokens.create(wanted("a"), NOW_MS);
    tokens.revoke("a");
    expect(tokens.required).toBe(true);
    tokens.stop();
  });

  test("what another process changes is noticed; connections are asked about", () => {
    const tokens = registry();
    let asked = 0;
    tokens.onChange(() => asked++);
    expect(tokens.isCurrent(null, NOW_MS)).toBe(true);
    const { secret, token } = makeToken(new TokenFile(folder), wanted("a"), NOW_MS);
    tokens.look();
    expect([asked, tokens.required, tokens.isCurrent(null, NOW_MS), tokens.isCurrent(token, NOW_MS)]).toEqual([
      1,
      true,
      false,
      true,
    ]);
    revokeToken(new TokenFile(folder), "a");
    // The same name anew is another token.
    makeToken(new TokenFile(folder), wanted("a"), NOW_MS);
    tokens.look();
    tokens.look();
    expect([asked, tokens.isCurrent(token, NOW_MS), tokens.find(secret, NOW_MS)]).toEqual([2, false, null]);
    tokens.stop();
  });

  test("a file that goes away or is damaged does not open the door", () => {
    const { secret } = makeToken(file, wanted("a"), NOW_MS);
    const tokens = registry();
    writeFileSync(file.path, "{");
    tokens.look();
    expect(tokens.find(secret, NOW_MS)?.name).toBe("a");
    rmSync(file.path);
    tokens.look();
    tokens.look();
    expect(tokens.required).toBe(true);
    expect(tokens.find(secret, NOW_MS)?.name).toBe("a");
    symlinkSync(file.path, file.path); // a loop, which root may not read either
    tokens.look();
    expect(tokens.find(secret, NOW_MS)?.name).toBe("a");
    expect(complaints).toEqual(
      ["is damaged", "is gone", "cannot be read (ELOOP)"].map((text) => expect.stringContaining(text)),
    );
    tokens.stop();
    expect(registry).toThrow(TokenFileError);
  });

  test("an expired token opens nothing, and keeps the door shut", () => {
    const tokens = registry();
    const made = tokens.create(wanted("a", { expiresAtMs: NOW_MS + 1000 }), NOW_MS);
    if (!made) throw new Error("not made");
    expect(tokens.isCurrent(made.token, NOW_MS + 999)).toBe(true);
    expect(tokens.find(made.secret, NOW_MS + 1000)).toBeNull();
    expect(tokens.isCurrent(made.token, NOW_MS + 1000)).toBe(false);
    expect(tokens.required).toBe(true);
    tokens.stop();
  });

  test("of the configuration: they count, are not revoked here, and keep their name", () => {
    const configured = {
      name: "c",
      scope: "read" as const,
      lines: null,
      sha256: tokenDigest("secret"),
      created_at: null,
      expires_at: null,
    };
    const tokens = registry({ configured: [configured], file: null });
    expect(tokens.required).toBe(true);
    expect(tokens.find("secret", NOW_MS)?.name).toBe("c");
    expect(() => tokens.create(wanted("c"), NOW_MS)).toThrow(/configuration has a token/);
    expect(() => tokens.revoke("c")).toThrow(/security.api_tokens/);
    expect(() => tokens.revoke("d")).toThrow(/no token/);
    expect(tokens.create(wanted("d"), NOW_MS)).toBeNull();
  });
});
