/** Where a recording ends, and what is in it: the rules alone, on blocks of 20 ms that count their own samples. */
import { describe, expect, test } from "bun:test";
import { RecordingTake, type TakeRules } from "../../../src/audio/recording_take";

const BLOCK = 160;
const MS = 1e6;
const RULES: TakeRules = { source: "caller", maxFrames: 1e6, silenceFrames: null, finishOnKey: null, trim: true };

/** Block n is heard from n × 20 ms on, and its samples are their own numbers. */
function take(rules: Partial<TakeRules> = {}, fromMs = Number.NEGATIVE_INFINITY, talking = false) {
  const it = new RecordingTake({ ...RULES, ...rules }, fromMs * MS, talking);
  let next = 0;
  const blocks = (count: number): void => {
    for (let i = 0; i < count; i++, next++) {
      const heard = Int16Array.from({ length: BLOCK }, (_, k) => (next * BLOCK + k) % 30_000);
      it.block({ atNs: (next + 1) * 20 * MS, heard, sent: heard.map((sample) => -sample) });
    }
  };
  return { it, blocks };
}

test("both channels stand side by side", () => {
  const { it, blocks } = take({ source: "both" });
  blocks(2);
  const samples = it.takeSamples();
  expect(samples.length).toBe(2 * 2 * BLOCK);
  expect([...samples.subarray(400, 404)]).toEqual([200, -200, 201, -201]);
  expect(it.takeSamples().length).toBe(0);
});

test("begins in the middle of a block, where the beep ended", () => {
  const { it, blocks } = take({ maxFrames: 800 }, 45);
  blocks(10);
  expect(it.takeSamples()[0]).toBe(45 * 8);
  expect(it.end).toEqual({ reason: "max_duration", frames: 800 });
});

test("what was lost passes in silence, and counts", () => {
  const { it, blocks } = take({ maxFrames: 5 * BLOCK });
  blocks(1);
  it.lost(3, BLOCK);
  blocks(1);
  const samples = it.takeSamples();
  expect(samples.length).toBe(5 * BLOCK);
  expect(samples.subarray(BLOCK, 4 * BLOCK).every((sample) => sample === 0)).toBe(true);
  expect(it.end?.reason).toBe("max_duration");
});

describe("silence", () => {
  test("ends it, when no voice can be told any more that began before", () => {
    const { it, blocks } = take({ silenceFrames: 500 * 8 });
    blocks(36);
    expect(it.end).toBeNull();
    blocks(1);
    expect(it.end).toEqual({ reason: "silence", frames: 500 * 8 });
  });

  test("a voice told late began in time, or too late", () => {
    const inTime = take({ silenceFrames: 500 * 8 });
    inTime.blocks(30);
    inTime.it.voiceStarted(490 * MS);
    inTime.blocks(100);
    expect(inTime.it.end).toBeNull();
    inTime.it.voiceEnded(1000 * MS);
    inTime.blocks(1);
    expect(inTime.it.end).toEqual({ reason: "silence", frames: 1500 * 8 });
    const tooLate = take({ silenceFrames: 500 * 8 });
    tooLate.blocks(30);
    tooLate.it.voiceStarted(510 * MS);
    expect(tooLate.it.end).toEqual({ reason: "silence", frames: 500 * 8 });
  });

  test("is not what is paused, nor a talkspurt that went on already", () => {
    const { it, blocks } = take({ silenceFrames: 500 * 8 }, undefined, true);
    blocks(100);
    it.voiceEnded(2000 * MS);
    it.pause();
    blocks(1000);
    expect(it.end).toBeNull();
    it.resume();
    blocks(37);
    expect(it.end).toEqual({ reason: "silence", frames: 2500 * 8 });
  });
});

describe("a key", () => {
  test("ends it before it was pressed, as soon as it is released", () => {
    const { it, blocks } = take({ finishOnKey: "#" });
    blocks(20);
    it.keyStarted(300 * MS);
    it.keyEnded("1", 340 * MS);
    expect(it.end).toBeNull();
    it.keyStarted(350 * MS);
    it.keyEnded("#", 450 * MS);
    expect(it.end).toEqual({ reason: "finish_key", frames: 330 * 8 });
  });

  test("untrimmed, with its release, of which the block is still to come", () => {
    const { it, blocks } = take({ finishOnKey: "any", trim: false });
    blocks(20);
    it.keyStarted(350 * MS);
    it.keyEnded("7", 415 * MS);
    expect(it.end).toBeNull();
    blocks(1);
    expect(it.end).toEqual({ reason: "finish_key", frames: 415 * 8 });
  });

  test("in a pause takes nothing of what was said before it", () => {
    for (const [resumedMs, frames] of [
      [null, 400 * 8],
      [640, 400 * 8], // the 10 ms after it are the key's
      [600, 430 * 8],
    ] as const) {
      const { it, blocks } = take({ finishOnKey: "#" });
      blocks(20);
      it.pause();
      blocks(((resumedMs ?? 600) - 400) / 20);
      if (resumedMs !== null) it.resume();
      blocks(20);
      it.keyStarted(650 * MS);
      it.keyEnded("#", 700 * MS);
      expect(it.end).toEqual({ reason: "finish_key", frames });
    }
  });

  test("held down while the telephone is hung up, is the reason", () => {
    const { it, blocks } = take({ finishOnKey: "any" });
    blocks(20);
    it.keyStarted(390 * MS);
    it.keyEnded("7", 400 * MS);
    it.hungUp(400 * MS);
    expect(it.end).toEqual({ reason: "finish_key", frames: 370 * 8 });
  });
});

test("hanging up dates back over a pause, and never before the beginning", () => {
  const { it, blocks } = take();
  blocks(20);
  it.pause();
  blocks(20);
  it.hungUp(700 * MS);
  expect(it.end).toEqual({ reason: "hung_up", frames: 400 * 8 });
  const inTime = take();
  inTime.blocks(40);
  inTime.it.hungUp(700 * MS);
  expect(inTime.it.end).toEqual({ reason: "hung_up", frames: 600 * 8 });
  const short = take();
  short.blocks(2);
  short.it.hungUp(40 * MS);
  expect(short.it.end).toEqual({ reason: "hung_up", frames: 0 });
});

test("over is over", () => {
  const { it, blocks } = take();
  blocks(1);
  it.stop();
  blocks(5);
  it.lost(3, BLOCK);
  it.hungUp(0);
  expect(it.end).toEqual({ reason: "stopped", frames: BLOCK });
  expect(it.takeSamples().length).toBe(BLOCK);
});
