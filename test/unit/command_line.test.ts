import { describe, expect, test } from "bun:test";
import { parseCommandLine, UsageError } from "../../src/command_line";

describe("the command line", () => {
  test("serves without a word, with and without serve", () => {
    const serving = parseCommandLine([]);
    expect(serving).toMatchObject({ command: "serve", simulatePorts: null, configPath: null, announce: false });
    expect(parseCommandLine(["serve"])).toEqual(serving);
  });

  test("takes values joined or apart, --simulate only joined", () => {
    expect(parseCommandLine(["--config", "a.yml", "--rest-port=0"])).toMatchObject({
      configPath: "a.yml",
      restPort: 0,
    });
    expect(parseCommandLine(["--simulate", "serve"])).toMatchObject({ command: "serve", simulatePorts: 4 });
    expect(parseCommandLine(["--simulate=2"])).toMatchObject({ simulatePorts: 2 });
  });

  test("the doctor", () => {
    expect(parseCommandLine(["doctor", "--json", "--self-test=3", "--ring", "--config=a.yml"])).toEqual({
      command: "doctor",
      configPath: "a.yml",
      simulatePorts: null,
      host: null,
      restPort: null,
      websocketPort: null,
      json: true,
      selfTest: 3,
      ring: true,
    });
    expect(parseCommandLine(["--simulate", "doctor"])).toMatchObject({ command: "doctor", simulatePorts: 4 });
  });

  test("replay", () => {
    expect(parseCommandLine(["replay", "a.jsonl", "--json"])).toEqual({
      command: "replay",
      path: "a.jsonl",
      json: true,
    });
    expect(parseCommandLine(["replay", "--json", "a.jsonl"])).toMatchObject({ path: "a.jsonl", json: true });
    expect(parseCommandLine(["replay", "a.jsonl"])).toMatchObject({ json: false });
    expect(parseCommandLine(["replay", "--help"])).toEqual({ command: "help" });
    expect(parseCommandLine(["token", "create", "--help"])).toEqual({ command: "help" });
  });

  test.each([["--help"], ["-h"], ["help"]])("%s helps", (word) => {
    expect(parseCommandLine(["serve", word])).toEqual({ command: "help" });
  });

  test.each([
    [["--bogus"], "--bogus is not known: see"],
    [["--port=9000"], "perhaps --rest-port or --websocket-port; see"],
    [["--ws-port=9000"], "perhaps --rest-port or --websocket-port; see"],
    [["--websocket", "9000"], "perhaps --websocket-port; see"],
    [["--simulated"], "perhaps --simulate; see"],
    [["--simulate", "2"], "2 is not known: --simulate=2 is one word; see"],
    [["--simulate=0"], "1 to 32"],
    [["--simulate=x"], 'not "x"'],
    [["--rest-port=70000"], "0 to 65535"],
    [["--config"], "--config needs a value"],
    [["--announce=1"], "takes no value"],
    [["serve", "serve"], "once"],
    [["doctor", "serve"], "once"],
    [["doctor", "--announce"], "--announce is none of doctor's options"],
    [["--json"], "--json is none of serve's options"],
    [["doctor", "--ring"], "--ring needs --self-test=LINE"],
    [["doctor", "--self-test=0"], "1 to 1023"],
    [["replay"], "replay needs a FILE"],
    [["replay", "a", "b"], "one FILE, not b"],
    [["replay", "a", "--simulate"], "--simulate is none of replay's options"],
  ])("%p is refused in one line", (words, message) => {
    expect(() => parseCommandLine(words)).toThrow(UsageError);
    try {
      parseCommandLine(words);
    } catch (error) {
      expect((error as Error).message).toContain(message);
      expect((error as Error).message).not.toContain("\n");
    }
  });
});

describe("token", () => {
  const parsed = (text: string) => parseCommandLine(text.split(" "));
  test("is understood", () => {
    expect(parsed("token create --name=tv --scope read --lines=1,3 --expires-days=30 --config=/c.yml")).toEqual({
      command: "token",
      action: "create",
      configPath: "/c.yml",
      name: "tv",
      scope: "read",
      lines: [1, 3],
      expiresInDays: 30,
    });
    expect(parsed("token create --scope=admin --name=me")).toMatchObject({ lines: null, expiresInDays: null });
    expect(parsed("token list")).toEqual({ command: "token", action: "list", configPath: null });
    expect(parsed("token revoke tv")).toEqual({
      command: "token",
      action: "revoke",
      name: "tv",
      configPath: null,
    });
    expect(parsed("token revoke --name tv")).toMatchObject({ name: "tv" });
  });

  test.each([
    ["token", "create, list or revoke"],
    ["token steal", "create, list or revoke"],
    ["token create", "needs --name=NAME"],
    ["token create --name=tv", "needs --scope=read|control|admin"],
    ["token create --name=tv --scope=root", "needs --scope=read|control|admin"],
    ["token create --name=a/b --scope=read", "NAME must be 1 to 64"],
    ["token create --name=tv --scope=read --lines=0", "--lines takes a whole number"],
    ["token create --name=tv --scope=read --lines=1,", "--lines takes a whole number"],
    ["token create --name=tv --scope=read --expires-days=0", "--expires-days takes a whole number"],
    ["token create --name=tv --name=tv --scope=read", "--name stands twice"],
    ["token create tv --scope=read", "tv is none of token create's options"],
    ["token list --name=tv", "--name is none of token list's options"],
    ["token revoke", "token revoke needs NAME"],
    ["token revoke a b", "--name stands twice"],
    ["token revoke --config", "--config needs a value"],
  ])("%s: %s", (text, message) => {
    expect(() => parsed(text)).toThrow(message);
  });
});
