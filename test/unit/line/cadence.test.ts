import { describe, expect, test } from "bun:test";
import { planRing, RING_PATTERN_NAMES, type RingOrder } from "../../../src/line/cadence";

const MAX_MS = 120_000;

function plan(order: RingOrder) {
  const planned = planRing(order, MAX_MS);
  if (!planned.ok) throw new Error(JSON.stringify(planned.errors));
  return planned.plan;
}

function fields(order: RingOrder): string[] {
  const planned = planRing(order, MAX_MS);
  return planned.ok ? [] : planned.errors.map(({ field }) => field);
}

const phases = (order: RingOrder): string =>
  plan(order)
    .bursts.map(({ onMs, offMs }) => `${onMs}/${offMs}`)
    .join(",");

describe("the contract's patterns", () => {
  test.each([
    ["NORMAL", "2000/4000", 1],
    ["DISTINCTIVE1", "500/500,500/500,2000/4000", 1],
    ["DISTINCTIVE2", "500/500,2000/500,500/4000", 1],
    ["CONTINUOUS", "5000/100", 0],
    ["SINGLE", "500/0", 1],
    ["TIMER", "200/200,200/200,200/0", 1],
    ["URGENT", "300/300", 5],
  ])("%s rings %s × %d", (pattern, expected, repeat) => {
    expect(phases({ pattern })).toBe(expected);
    expect(plan({ pattern }).repeat).toBe(repeat);
  });

  test("are taken in any case; an empty body rings NORMAL", () => {
    expect(plan({ pattern: "distinctive1" }).pattern).toBe("DISTINCTIVE1");
    expect(plan({})).toMatchObject({ pattern: "NORMAL", repeat: 1, durationMs: null, capMs: MAX_MS });
  });

  test("an unknown one is refused with all the names", () => {
    const planned = planRing({ pattern: "LOUD" }, MAX_MS);
    expect(planned.ok).toBe(false);
    if (!planned.ok) for (const name of RING_PATTERN_NAMES) expect(planned.errors[0]?.message).toContain(name);
  });
});

describe("repeat and duration", () => {
  test("a duration alone repeats until the cap", () => {
    expect(plan({ durationMs: 10_000 })).toMatchObject({ repeat: 0, durationMs: 10_000, capMs: 10_000 });
  });

  test("with both, the earlier ends it", () => {
    expect(plan({ durationMs: 10_000, repeat: 3 })).toMatchObject({ repeat: 3, capMs: 10_000 });
  });

  test("max_ring_seconds caps everything, 0 repeats until then", () => {
    expect(plan({ repeat: 0 })).toMatchObject({ repeat: 0, durationMs: null, capMs: MAX_MS });
    expect(plan({ durationMs: MAX_MS * 2 })).toMatchObject({ durationMs: MAX_MS * 2, capMs: MAX_MS });
  });

  test("patterns that end without a silence keep their bursts apart when repeated", () => {
    expect(phases({ pattern: "SINGLE", repeat: 2 })).toBe("500/500");
    expect(phases({ pattern: "TIMER", repeat: 2 })).toBe("200/200,200/200,200/200");
  });

  test("bad numbers are named", () => {
    expect(fields({ repeat: -1 })).toEqual(["repeat"]);
    expect(fields({ repeat: 1.5 })).toEqual(["repeat"]);
    expect(fields({ durationMs: 0 })).toEqual(["duration"]);
    expect(fields({ durationMs: Number.NaN })).toEqual(["duration"]);
  });
});

describe("custom patterns", () => {
  const custom = (onTimesMs: number[], offTimesMs: number[], rest: RingOrder = {}): RingOrder => ({
    ...rest,
    customPattern: { onTimesMs, offTimesMs },
  });

  test("need no name", () => {
    expect(plan(custom([100, 300], [200, 0]))).toMatchObject({ pattern: "CUSTOM", repeat: 1 });
    expect(phases(custom([100, 300], [200, 0]))).toBe("100/200,300/0");
  });

  test("unequal lists, no on-time, no inner off-time, too many bursts name the field", () => {
    expect(fields(custom([100, 100], [100]))).toContain("custom_pattern.off_times");
    expect(fields(custom([0], [0]))).toEqual(["custom_pattern.on_times[0]"]);
    expect(fields(custom([-5], [0]))).toEqual(["custom_pattern.on_times[0]"]);
    expect(fields(custom([100, 100], [0, 0]))).toEqual(["custom_pattern.off_times[0]"]);
    expect(fields(custom(Array(33).fill(100), Array(33).fill(100)))).toEqual(["custom_pattern.on_times"]);
    expect(fields(custom([], []))).toEqual(["custom_pattern.on_times"]);
  });

  test("a trailing silence of 0 is inner when the pattern repeats", () => {
    expect(fields(custom([100], [0], { repeat: 2 }))).toEqual(["custom_pattern.off_times[0]"]);
    expect(fields(custom([100], [0], { durationMs: 5000 }))).toEqual(["custom_pattern.off_times[0]"]);
  });

  test("CUSTOM without one, or one with another name, is refused", () => {
    expect(fields({ pattern: "CUSTOM" })).toContain("custom_pattern");
    expect(fields(custom([100], [100], { pattern: "NORMAL" }))).toEqual(["custom_pattern"]);
  });
});
