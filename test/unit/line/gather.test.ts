/** What ends the collecting of digits, and when: to the millisecond, without a clock. */
import { describe, expect, test } from "bun:test";
import { parseDigitMap } from "../../../src/line/digit_map";
import {
  type GatherInput,
  type GatherRules,
  type GatherState,
  gatherDeadlineMs,
  gatherStart,
  gatherStep,
} from "../../../src/line/gather";

interface Wishes extends Partial<Omit<GatherRules, "digitMap">> {
  pattern?: string;
  prompt?: boolean;
}

function rulesOf({ pattern, prompt: _, ...wishes }: Wishes): GatherRules {
  const digitMap = pattern === undefined ? null : parseDigitMap(pattern);
  if (typeof digitMap === "string") throw new Error(digitMap);
  return {
    maxDigits: 64,
    finishOnKey: "#",
    timeoutMs: 5000,
    interDigitTimeoutMs: 3000,
    bargeIn: "dtmf",
    ...wishes,
    digitMap,
  };
}

/**
 * "1000 5" presses and lets go at once; "1000 5-1200" holds it; "900 prompt", "900 voice", "900 time" and "900 hung_up" are
 * what they say.
 */
function inputs(script: string): GatherInput[] {
  return script.split(",").flatMap((part): GatherInput[] => {
    const [at, what = ""] = part.trim().split(" ");
    const atMs = Number(at);
    const key = /^([0-9*#A-D])(?:-(\d+))?$/.exec(what);
    if (key) {
      const upMs = key[2] === undefined ? atMs : Number(key[2]);
      return [
        { type: "key_started", atMs },
        { type: "digit", atMs: upMs, digit: key[1] as string },
      ];
    }
    switch (what) {
      case "prompt":
        return [{ type: "prompt_ended", atMs }];
      case "voice":
        return [{ type: "voice_started", atMs }];
      case "down":
        return [{ type: "key_started", atMs }];
      case "time":
        return [{ type: "time", atMs }];
      default:
        return [{ type: "left", atMs, reason: what as "hung_up" }];
    }
  });
}

const run = (wishes: Wishes, script: string): GatherState =>
  inputs(script).reduce(gatherStep, gatherStart(rulesOf(wishes), wishes.prompt ?? false, 0));

const outcome = ({ digits, end }: GatherState): string =>
  `${digits}:${end ? end.reason + (end.finishKey ?? "") : "goes on"}`;

describe("what ends it", () => {
  test.each<[string, Wishes, string, string]>([
    ["max_digits", { maxDigits: 3 }, "1 1, 2 2, 3 3", "123:complete"],
    ["not before", { maxDigits: 3 }, "1 1, 2 2", "12:goes on"],
    ["nothing after", { maxDigits: 1 }, "1 1, 2 2, 3 hung_up", "1:complete"],
    ["the key, which is no digit", {}, "1 1, 2 2, 3 #", "12:finish_key#"],
    ["the key alone", {}, "3 #", ":finish_key#"],
    ["one key of several", { finishOnKey: "*#" }, "1 1, 2 *", "1:finish_key*"],
    ["no key", { finishOnKey: "" }, "1 1, 2 #", "1#:goes on"],
    ["the key before max_digits", { maxDigits: 1 }, "1 #", ":finish_key#"],
    ["hanging up", {}, "1 1, 2 hung_up", "1:hung_up"],
    ["being stopped", { prompt: true }, "2 stopped", ":stopped"],
    ["a lost line", {}, "2 error", ":error"],
    ["the first timeout, to the millisecond", {}, "4999 time", ":goes on"],
    ["at it", {}, "5000 time", ":timeout"],
    ["the next timeout runs from the release", {}, "1000 1-1500, 4499 time", "1:goes on"],
    ["at that", {}, "1000 1-1500, 4500 time", "1:timeout"],
    ["a key in the last millisecond counts", {}, "5000 1", "1:goes on"],
    ["one after it does not, however early it is told", {}, "5001 1", ":timeout"],
    ["nor a voice or anything else then", {}, "5001 hung_up", ":timeout"],
    ["a key held over the timeout counts", {}, "4900 1-7000, 9999 time", "1:goes on"],
    ["for ten seconds", {}, "4900 down, 14899 time", ":goes on"],
    ["at most", {}, "4900 down, 14900 time", ":timeout"],
  ])("%s", (_, wishes, script, expected) => {
    expect(outcome(run(wishes, script))).toBe(expected);
  });
});

describe("a prompt", () => {
  test.each<[string, Wishes, string, string]>([
    ["has its time", { prompt: true }, "60000 time", ":goes on"],
    ["begins the timeout with its end", { prompt: true }, "60000 prompt, 64999 time", ":goes on"],
    ["at it", { prompt: true }, "60000 prompt, 65000 time", ":timeout"],
    ["is typed ahead of", { prompt: true, maxDigits: 2 }, "100 1, 200 2", "12:complete"],
    ["stopped by a key, does not end again", { prompt: true }, "100 1, 2000 prompt, 3100 time", "1:timeout"],
    ["is heard whole, keys meanwhile do not count", { prompt: true, bargeIn: "none" }, "100 1, 900 #", ":goes on"],
    ["but after it", { prompt: true, bargeIn: "none" }, "100 1, 900 prompt, 1000 2", "2:goes on"],
    ["is not stopped by a voice", { prompt: true }, "100 voice, 5200 time", ":goes on"],
    ["unless told so", { prompt: true, bargeIn: "any" }, "100 voice, 5100 time", ":timeout"],
    ["ends with the call", { prompt: true, bargeIn: "none" }, "100 hung_up", ":hung_up"],
  ])("%s", (_, wishes, script, expected) => {
    expect(outcome(run(wishes, script))).toBe(expected);
  });

  test("is to be stopped as the key goes down", () => {
    const before = gatherStart(rulesOf({}), true, 0);
    expect(before.prompting).toBe(true);
    expect(gatherStep(before, { type: "key_started", atMs: 5 }).prompting).toBe(false);
    expect(gatherStep(before, { type: "left", reason: "stopped", atMs: 5 }).prompting).toBe(false);
  });
});

describe("a pattern", () => {
  const pattern = "1XX|0|9XXXXXXX";
  test.each<[string, Wishes, string, string]>([
    ["is complete as soon as nothing can follow", { pattern }, "1 1, 2 2, 3 3", "123:complete"],
    ["or with one digit", { pattern }, "1 0", "0:complete"],
    ["ends with the first digit that fits nowhere, which is shown", { pattern }, "1 1, 2 2, 3 *", "12*:no_match"],
    ["unfinished in time is a timeout", { pattern }, "1 1, 2 2, 3002 time", "12:timeout"],
    ["unfinished at the key is no match", { pattern }, "1 1, 2 2, 3 #", "12:no_match"],
    ["waits where it may go on", { pattern: "1|12" }, "1 1, 3000 time", "1:goes on"],
    ["and is complete then", { pattern: "1|12" }, "1 1, 3001 time", "1:complete"],
    ["or at the key", { pattern: "XX." }, "1 1, 2 2, 3 #", "12:finish_key#"],
    ["of nothing is a timeout all the same", { pattern: "X." }, "5000 time", ":timeout"],
    ["fits within max_digits, or not at all", { pattern: "1XX", maxDigits: 2 }, "1 1, 2 2", "12:no_match"],
    ["fits at max_digits", { pattern: "1X.", maxDigits: 2 }, "1 1, 2 2", "12:complete"],
  ])("%s", (_, wishes, script, expected) => {
    expect(outcome(run(wishes, script))).toBe(expected);
  });
});

test("time is wanted when it matters, and never otherwise", () => {
  expect(gatherDeadlineMs(run({ prompt: true }, "0 voice"))).toBeNull();
  expect(gatherDeadlineMs(run({}, "0 voice"))).toBe(5000);
  expect(gatherDeadlineMs(run({}, "100 1-300"))).toBe(3300);
  expect(gatherDeadlineMs(run({}, "100 down"))).toBe(10_100);
  expect(gatherDeadlineMs(run({}, "100 #"))).toBeNull();
});

test("whatever comes in whatever order: it ends once, and at the latest by its deadlines", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % below;
  };
  for (let i = 0; i < 2000; i++) {
    let state = gatherStart(
      rulesOf({ maxDigits: 1 + random(4), pattern: random(2) ? "1X.|*2" : "X.X" }),
      random(2) === 0,
      0,
    );
    let atMs = 0;
    for (let n = 0; n < 30; n++) {
      atMs += random(2000);
      const digit = "0123456789*#"[random(12)] as string;
      const all: GatherInput[] = [
        { type: "prompt_ended", atMs },
        { type: "key_started", atMs },
        { type: "digit", digit, atMs },
        { type: "voice_started", atMs },
        { type: "time", atMs },
      ];
      const next = gatherStep(state, all[random(all.length)] as GatherInput);
      if (state.end) expect(next).toBe(state);
      state = next;
    }
    state = gatherStep(state, { type: "prompt_ended", atMs });
    state = gatherStep(state, { type: "time", atMs: gatherDeadlineMs(state) ?? atMs });
    expect(state.end).not.toBeNull();
    if (state.end?.reason === "complete") expect(state.digits).not.toBe("");
  }
});
