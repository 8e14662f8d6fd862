import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { deadlineMs, playDecision, step } from "../../../src/line/machine";
import { initialState, type LineInput, type LineState, SILENT_LINE, stateName } from "../../../src/line/model";
import { normalRing, SAMPLE_INPUTS, SAMPLE_STATES, SOUNDING_LINE, TRANSITIONS_PAGE } from "./transitions";

function run(...inputs: LineInput[]): { state: LineState; events: string[] } {
  let state = initialState(0, SILENT_LINE);
  const events: string[] = [];
  for (const input of inputs) {
    const next = step(state, input);
    state = next.state;
    for (const effect of next.effects) if (effect.kind === "emit") events.push(effect.body.type);
  }
  return { state, events };
}

const up: LineInput = { type: "line_up", atMs: 1, lifted: false };
const lift = (atMs: number): LineInput => ({ type: "off_hook", atMs, trippedRing: false });
const hangUp = (atMs: number): LineInput => ({ type: "on_hook", atMs });

describe("the transition table", () => {
  test("is what the docs show: after a wanted change run bun test/unit/line/write_transitions.ts", async () => {
    const page = await Bun.file(`${import.meta.dir}/../../../docs/line-transitions.md`).text();
    expect(TRANSITIONS_PAGE()).toBe(page);
  });

  test("names every sample state truly", () => {
    for (const [name, state] of SAMPLE_STATES) expect(name.startsWith(stateName(state))).toBe(true);
  });
});

describe("call statistics", () => {
  test("a lift and a hang-up are one successful call of that length", () => {
    const { state } = run(up, lift(1000), hangUp(4000));
    expect(state.stats).toMatchObject({
      totalCalls: 1,
      successfulCalls: 1,
      failedCalls: 0,
      totalDurationMs: 3000,
    });
    expect(state.stats.lastCallAtMs).toBe(1000);
  });

  test("a ring that nobody answers is a failed call, an answered one is counted once", () => {
    const ask: LineInput = { type: "ring_requested", atMs: 10, plan: normalRing() };
    const rung = run(
      up,
      ask,
      { type: "ring_accepted", atMs: 11, ringId: 1 },
      { type: "ring_ended", atMs: 2011, ringId: 1, reason: "completed" },
    );
    expect(rung.state.stats).toMatchObject({
      totalCalls: 1,
      successfulCalls: 0,
      failedCalls: 1,
      lastCallAtMs: 11,
    });

    const answered = run(
      up,
      ask,
      { type: "ring_accepted", atMs: 11, ringId: 1 },
      { type: "ring_ended", atMs: 500, ringId: 1, reason: "answered" },
      { type: "off_hook", atMs: 500, trippedRing: true },
      hangUp(1500),
    );
    expect(answered.events).toEqual(["hardware_status", "ring_start", "ring_stop", "off_hook", "on_hook"]);
    expect(answered.state.stats).toMatchObject({ totalCalls: 1, successfulCalls: 1, failedCalls: 0 });
  });

  test("a call lost with the card is a failed call", () => {
    const fault = { code: "card_removed", message: "gone", fix: "put it back" };
    const { state } = run(up, lift(5), { type: "line_down", atMs: 9, fault });
    expect(state.stats).toMatchObject({ totalCalls: 1, successfulCalls: 0, failedCalls: 1 });
  });

  test("digits are kept, the newest 32", () => {
    const digits = Array.from({ length: 40 }, (_, i): LineInput => {
      return {
        type: "digit",
        atMs: 10 + i,
        digit: String(i % 10),
        source: "dtmf",
        durationMs: 80,
        levelDbm0: -12,
      };
    });
    const { state } = run(up, lift(5), ...digits);
    expect(state.digits).toHaveLength(32);
    expect(state.digits.join("")).toBe("89012345678901234567890123456789");
    expect(state.stats.dtmfDigitsReceived).toBe(40);
  });
});

describe("after an outage", () => {
  const fault = { code: "card_removed", message: "gone", fix: "put it back" };
  const down: LineInput = { type: "line_down", atMs: 9, fault };

  test("a telephone that was hung up meanwhile is told on_hook", () => {
    expect(run(up, lift(5), down, { type: "line_up", atMs: 20, lifted: false }).events).toEqual([
      "hardware_status",
      "off_hook",
      "error",
      "hardware_status",
      "on_hook",
    ]);
  });

  test("a telephone still lifted begins a new session", () => {
    const { events, state } = run(up, lift(5), down, { type: "line_up", atMs: 20, lifted: true });
    expect(events.at(-1)).toBe("off_hook");
    expect(stateName(state)).toBe("OFF_HOOK");
  });

  test("the same fault is told once", () => {
    expect(run(up, down, { ...down, atMs: 10 }).events).toEqual(["hardware_status", "error"]);
  });
});

describe("voltage", () => {
  const volts = (value: number): LineInput => ({ type: "voltage", atMs: 10, volts: value });

  test("is told from a change of 1 V on, measured from what was told last", () => {
    expect(run(up, volts(48), volts(47.2), volts(47.01)).events).toEqual(["hardware_status"]);
    expect(run(up, volts(48), volts(47.2), volts(47)).events).toEqual(["hardware_status", "voltage_change"]);
  });
});

describe("voice", () => {
  test("ends below −50 dBm0 even on a noisy line, for clients that compare levels", () => {
    let state = run(up, lift(5), { type: "voice_started", atMs: 10, levelDbm0: -20 }).state;
    const next = step(state, { type: "voice_ended", atMs: 900, levelDbm0: -42, segmentDbm0: -21 });
    state = next.state;
    const [effect] = next.effects;
    expect(effect).toMatchObject({
      kind: "emit",
      body: { active: false, startMs: 10, endMs: 900, segmentLevel: -21 },
    });
    if (effect?.kind === "emit" && effect.body.type === "voice") expect(effect.body.energyLevel).toBeLessThan(-50);
  });
});

describe("playing", () => {
  test("is decided by the state", () => {
    const decide = (name: string, when: "now" | "off_hook") => {
      const state = SAMPLE_STATES.get(name);
      if (!state) throw new Error(name);
      const decision = playDecision(state, when);
      return typeof decision === "string" ? decision : decision.code;
    };
    expect(decide("OFF_HOOK", "now")).toBe("now");
    expect(decide("IN_CALL", "off_hook")).toBe("now");
    expect(decide("RINGING", "now")).toBe("await_answer");
    expect(decide("IDLE, ring asked for", "now")).toBe("await_answer");
    expect(decide("IDLE", "now")).toBe("line_on_hook");
    expect(decide("IDLE", "off_hook")).toBe("await_lift");
    expect(decide("ERROR", "off_hook")).toBe("line_not_ready");
    expect(decide("INITIALIZING", "now")).toBe("line_not_ready");
  });
});

describe("whatever happens", () => {
  const input = fc.record({
    which: fc.integer({ min: 0, max: SAMPLE_INPUTS.length - 1 }),
    ringId: fc.integer({ min: 1, max: 4 }),
    laterMs: fc.integer({ min: 0, max: 5000 }),
  });

  test("every ring_start has its ring_stop, hook and talkspurts alternate, calls add up", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), fc.boolean(), (inputs, sounds) => {
        let state = initialState(0, sounds ? SOUNDING_LINE : SILENT_LINE);
        let wakeMs: number | null = null;
        let atMs = 0;
        let ringing = false;
        let told: "on" | "off" = "on";
        let talking = false;
        for (const { which, ringId, laterMs } of inputs) {
          atMs += laterMs;
          const sample = SAMPLE_INPUTS[which] as LineInput;
          const fed = { ...sample, atMs, ...("ringId" in sample ? { ringId } : {}) } as LineInput;
          const next = step(state, fed);
          for (const effect of next.effects) {
            if (effect.kind === "wake") wakeMs = effect.atMs;
            if (effect.kind !== "emit") continue;
            const { body } = effect;
            if (body.type === "ring_start") {
              expect(ringing).toBe(false);
              ringing = true;
            }
            if (body.type === "ring_stop") {
              expect(ringing).toBe(true);
              ringing = false;
            }
            if (body.type === "off_hook") told = "off";
            if (body.type === "on_hook") {
              expect(told).toBe("off");
              told = "on";
            }
            if (body.type === "voice") {
              expect(body.active).toBe(!talking);
              talking = body.active;
            }
          }
          state = next.state;
          if (state.service === "up") expect(told).toBe(state.lifted ? "off" : "on");
          expect(wakeMs).toBe(deadlineMs(state));
          expect(state.watch !== null).toBe(state.service === "up" && state.lifted);
          expect(ringing).toBe(state.ring !== null);
          expect(talking).toBe(state.talkspurtStartedAtMs !== null);
          const { totalCalls, successfulCalls, failedCalls } = state.stats;
          expect(totalCalls).toBe(successfulCalls + failedCalls + (state.session ? 1 : 0));
        }
      }),
      { numRuns: 2000, seed: 20260129 },
    );
  });

  test("a state object is never changed in place", () => {
    const freeze = <T>(value: T): T => {
      if (value !== null && typeof value === "object" && !Object.isFrozen(value)) {
        Object.freeze(value);
        Object.values(value).forEach(freeze);
      }
      return value;
    };
    for (const state of SAMPLE_STATES.values()) {
      freeze(state);
      for (const sample of SAMPLE_INPUTS) expect(() => step(state, sample)).not.toThrow();
    }
  });
});
