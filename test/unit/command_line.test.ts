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
