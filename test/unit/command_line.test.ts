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

  test.each([["--help"], ["-h"], ["help"]])("%s helps", (word) => {
    expect(parseCommandLine(["serve", word])).toEqual({ command: "help" });
  });

  test.each([
    [["--bogus"], "--bogus is not known"],
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
