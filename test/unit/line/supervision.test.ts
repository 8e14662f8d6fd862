import { describe, expect, test } from "bun:test";
import { step } from "../../../src/line/machine";
import { initialState, type LineInput, type LineSettings } from "../../../src/line/model";

const SETTINGS: LineSettings = {
  dialTone: { timeoutMs: 20_000 },
  offHookTimeout: { afterMs: 45_000, reorderMs: 30_000, howlerMs: 60_000 },
};

/** A line that keeps its own time: feeds `time` whenever it was asked for, and writes down what it sounds and tells. */
function line(settings: LineSettings) {
  let state = initialState(0, settings);
  let wakeMs: number | null = null;
  const heard: string[] = [];
  const feed = (input: LineInput): void => {
    const next = step(state, input);
    state = next.state;
    for (const effect of next.effects) {
      const at = `${input.atMs / 1000}`;
      if (effect.kind === "wake") wakeMs = effect.atMs;
      if (effect.kind === "start_tone") heard.push(`${at} ${effect.tone}`);
      if (effect.kind === "stop_tone") heard.push(`${at} silence`);
      if (effect.kind === "emit" && effect.body.type === "off_hook_timeout")
        heard.push(`${at} told after ${effect.body.idle_ms / 1000}`);
    }
  };
  const at = (seconds: number, input?: Record<string, unknown> & { type: LineInput["type"] }): void => {
    while (wakeMs !== null && wakeMs <= seconds * 1000) feed({ type: "time", atMs: wakeMs });
    if (input) feed({ ...input, atMs: seconds * 1000 } as LineInput);
  };
  at(0, { type: "line_up", lifted: false });
  return { heard, at };
}

const LIFT = { type: "off_hook", trippedRing: false } as const;
const KEY = { type: "digit", digit: "5", source: "dtmf", durationMs: 80, levelDbm0: -10 } as const;
const PLAYS = { type: "playback_started", playbackId: "p", durationMs: null } as const;
const ENDS = { type: "playback_ended", playbackId: "p", reason: "completed", heardMs: 1 } as const;

describe("dial tone", () => {
  test("sounds on lifting until the first digit, whose key is still down", () => {
    const { heard, at } = line({ ...SETTINGS, offHookTimeout: null });
    at(1, LIFT);
    at(3, { type: "digit_started" });
    at(3.1, KEY);
    at(1000);
    expect(heard).toEqual(["1 dial", "3 silence"]);
  });

  test("gives way to a client, and to time", () => {
    const { heard, at } = line({ ...SETTINGS, offHookTimeout: null });
    at(1, LIFT);
    at(2, { type: "playback_requested" });
    at(2.1, PLAYS);
    at(4, { type: "on_hook" });
    at(10, LIFT);
    at(100);
    expect(heard).toEqual(["1 dial", "2 silence", "10 dial", "30 silence"]);
  });

  test("does not sound to who answers a ring, nor when it is not wanted", () => {
    const answering = line(SETTINGS);
    answering.at(1, { ...LIFT, trippedRing: true });
    expect(answering.heard).toEqual([]);
    const silent = line({ dialTone: null, offHookTimeout: null });
    silent.at(1, LIFT);
    silent.at(1e6);
    expect(silent.heard).toEqual([]);
  });

  test("speech and a flash do not end it", () => {
    const { heard, at } = line(SETTINGS);
    at(1, LIFT);
    at(2, { type: "voice_started", levelDbm0: -20 });
    at(3, { type: "voice_ended", levelDbm0: -60, segmentDbm0: -20 });
    at(4, { type: "flash", durationMs: 300 });
    at(20.9);
    expect(heard).toEqual(["1 dial"]);
  });
});

describe("a far end that is lost", () => {
  test("is heard as the reorder tone for a while, whatever the configuration has for a telephone left off-hook", () => {
    const silent = line({ dialTone: null, offHookTimeout: null });
    silent.at(1, LIFT);
    silent.at(5, { type: "far_end_lost" });
    silent.at(1000);
    expect(silent.heard).toEqual(["5 reorder", "35 silence"]);
    const watched = line(SETTINGS);
    watched.at(1, { ...LIFT, trippedRing: true });
    watched.at(5, { type: "far_end_lost" });
    watched.at(1000);
    expect(watched.heard).toEqual(["5 reorder", "35 howler", "95 silence"]);
  });

  test("gives way to a client, and is not heard on-hook, over a sound, or while somebody is on the line", () => {
    const { heard, at } = line({ dialTone: null, offHookTimeout: null });
    at(1, { type: "far_end_lost" });
    at(2, LIFT);
    at(3, PLAYS);
    at(4, { type: "far_end_lost" });
    at(5, ENDS);
    at(6, { type: "attached", what: "audio" });
    at(7, { type: "far_end_lost" });
    at(8, { type: "detached", what: "audio" });
    at(9, { type: "far_end_lost" });
    at(10, { type: "playback_requested" });
    at(20, { type: "far_end_lost" });
    at(21, { type: "on_hook" });
    at(1000);
    expect(heard).toEqual(["9 reorder", "10 silence", "20 reorder"]);
  });
});

describe("a telephone left off-hook", () => {
  test("is told, hears reorder, the howler, and then nothing more", () => {
    const { heard, at } = line(SETTINGS);
    at(1, LIFT);
    at(1000);
    expect(heard).toEqual(["1 dial", "21 silence", "46 told after 45", "46 reorder", "76 howler", "136 silence"]);
  });

  test("is not what somebody uses: digits, speech and playbacks begin the wait anew", () => {
    const { heard, at } = line({ ...SETTINGS, dialTone: null });
    at(0, LIFT);
    at(40, KEY);
    at(80, { type: "voice_started", levelDbm0: -20 });
    at(500, { type: "voice_ended", levelDbm0: -60, segmentDbm0: -20 });
    at(540, { type: "flash", durationMs: 300 });
    at(580, { type: "playback_requested" });
    at(581, PLAYS);
    at(3000, ENDS);
    at(3044);
    expect(heard).toEqual([]);
    at(3045);
    expect(heard).toEqual(["3045 told after 45", "3045 reorder"]);
  });

  test("an event that is dated back does not shorten the wait", () => {
    const { heard, at } = line({ ...SETTINGS, dialTone: null });
    at(0, LIFT);
    at(40, KEY);
    at(39, { type: "flash", durationMs: 300 });
    at(100);
    expect(heard[0]).toBe("85 told after 45");
  });

  test("stays that whatever is dialled, until a client plays or it is hung up", () => {
    const { heard, at } = line({ ...SETTINGS, dialTone: null });
    at(0, LIFT);
    at(40, KEY);
    at(110, KEY);
    at(111, { type: "playback_requested" });
    at(112, PLAYS);
    at(120, ENDS);
    at(165);
    at(170, { type: "on_hook" });
    at(1e6);
    expect(heard).toEqual(["85 told after 45", "85 reorder", "111 silence", "165 told after 45", "165 reorder"]);
  });

  test("a tone of no length is left out", () => {
    const told = (reorderMs: number, howlerMs: number): string[] => {
      const { heard, at } = line({ dialTone: null, offHookTimeout: { afterMs: 1000, reorderMs, howlerMs } });
      at(0, LIFT);
      at(100);
      return heard.slice(1);
    };
    expect(told(0, 5000)).toEqual(["1 howler", "6 silence"]);
    expect(told(5000, 0)).toEqual(["1 reorder", "6 silence"]);
    expect(told(0, 0)).toEqual(["1 silence"]);
  });

  test("with a shorter patience than the dial tone's, passes from it at once", () => {
    const { heard, at } = line({ ...SETTINGS, dialTone: { timeoutMs: 3_600_000 } });
    at(0, LIFT);
    at(46);
    expect(heard).toEqual(["0 dial", "45 told after 45", "45 reorder"]);
  });

  test("a lost line is watched no more", () => {
    const { heard, at } = line(SETTINGS);
    at(0, LIFT);
    at(5, { type: "line_down", fault: { code: "card_removed", message: "gone", fix: "put it back" } });
    at(1000);
    expect(heard).toEqual(["0 dial"]);
  });
});
