/** Digit maps: what fits, what may follow, what is refused, and that no map is slow. */
import { describe, expect, test } from "bun:test";
import {
  type DigitMap,
  mapGoesOn,
  mapMatches,
  mapNext,
  mapStart,
  parseDigitMap,
} from "../../../src/line/digit_map";

function map(text: string): DigitMap {
  const parsed = parseDigitMap(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

/** "fits", "fits, goes on", "goes on" or "none". */
function reading(text: string, digits: string): string {
  const parsed = map(text);
  const at = [...digits].reduce((places, digit) => mapNext(parsed, places, digit), mapStart(parsed));
  const words = [mapMatches(parsed, at) && "fits", mapGoesOn(parsed, at) && "goes on"].filter(Boolean);
  return words.join(", ") || "none";
}

describe("a digit map", () => {
  test.each([
    ["1XX|0|9XXXXXXX", "", "goes on"],
    ["1XX|0|9XXXXXXX", "0", "fits"],
    ["1XX|0|9XXXXXXX", "12", "goes on"],
    ["1XX|0|9XXXXXXX", "123", "fits"],
    ["1XX|0|9XXXXXXX", "1234", "none"],
    ["1XX|0|9XXXXXXX", "2", "none"],
    ["1XX|0|9XXXXXXX", "1*", "none"],
    ["1|12", "1", "fits, goes on"],
    ["1|12", "12", "fits"],
    ["xx", "42", "fits"],
    ["X.", "", "fits, goes on"],
    ["XX.", "", "goes on"],
    ["XX.", "123456", "fits, goes on"],
    ["*21*X.#", "*21*#", "fits"],
    ["*21*X.#", "*21*12345", "goes on"],
    ["*21*X.#", "*21*12345#", "fits"],
    ["[2-468]0", "30", "fits"],
    ["[2-468]0", "60", "fits"],
    ["[2-468]0", "50", "none"],
    ["[a-]", "", "refused"],
    ["[*#d]1", "d1", "none"], // a telephone says D
    ["[*#d]1", "D1", "fits"],
    ["1.2.3", "113", "fits"],
    ["1.2.3", "3", "fits"],
    ["1.2.3", "213", "none"],
  ])("%p reads %p: %s", (text, digits, expected) => {
    if (expected === "refused") expect(parseDigitMap(text)).toBeString();
    else expect(reading(text, digits)).toBe(expected);
  });

  test.each([
    "",
    "|",
    "1|",
    "|1",
    "1||2",
    "[",
    "]",
    "[]",
    "[12",
    "1]",
    ".",
    "1..",
    "x*y",
    "[x]",
    "[3-]",
    "(12)",
    "1T",
    "+",
    " 1",
    "X".repeat(257),
  ])("%p is none, and it is said why", (text) => {
    expect(parseDigitMap(text)).toBeString();
  });

  test("a range the wrong way round is none", () => {
    expect(parseDigitMap("[4-1]")).toBeString();
  });

  test("what would take a backtracking matcher for ever takes no time", () => {
    const parsed = map(`${"X.".repeat(127)}#`);
    let at = mapStart(parsed);
    for (let i = 0; i < 2000; i++) {
      at = mapNext(parsed, at, "5");
      expect(at.size).toBeLessThanOrEqual(128);
    }
    expect(mapMatches(parsed, at)).toBe(false);
    expect(mapMatches(parsed, mapNext(parsed, at, "#"))).toBe(true);
  });
});
