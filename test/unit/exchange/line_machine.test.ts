/** The machine at work, without a telephone: what it tells, waits for and refuses. */
import { describe, expect, test } from "bun:test";
import type { Clock } from "../../../src/exchange/clock";
import { LineMachine, type OutwardEffect } from "../../../src/exchange/line_machine";
import { planRing } from "../../../src/line/cadence";
import { type LineSettings, SILENT_LINE, stateName } from "../../../src/line/model";
import { refusal } from "../../support/refusal";

const planned = planRing({}, 60_000);
if (!planned.ok) throw new Error("no ring");
const { plan } = planned;
const FAULT = { code: "card_removed", message: "It is gone.", fix: "Put it back." } as const;

function atWork(settings: LineSettings = SILENT_LINE) {
  const waits: { ms: number; call: () => void }[] = [];
  const clock: Clock & { atMs: number } = {
    atMs: 1000,
    engineMs: () => clock.atMs,
    nowMs: () => clock.atMs,
    wallMs: () => clock.atMs,
    after: (ms, call) => {
      const wait = { ms, call };
      waits.push(wait);
      return () => void waits.splice(waits.indexOf(wait), 1);
    },
  };
  const told: [type: string, nativeNs: number][] = [];
  const effects: OutwardEffect[] = [];
  const hooks = { carriedOut: (_effect: OutwardEffect): void => undefined };
  const machine = new LineMachine({
    clock,
    settings,
    emit: (_atMs, nativeNs, { type }) => void told.push([type, nativeNs]),
    carryOut: (effect) => {
      effects.push(effect);
      hooks.carriedOut(effect);
      return effect.kind === "ring" ? Promise.resolve() : undefined;
    },
  });
  return { machine, clock, waits, told, effects, hooks };
}

describe("the machine at work", () => {
  test("each event has the stamp of what gave rise to it, also where another one was told in between", () => {
    const { machine, told, effects, hooks } = atWork();
    machine.step({ type: "line_up", atMs: 1000, lifted: false }, 1);
    expect(machine.request({ type: "ring_requested", plan }).ringing).toBeInstanceOf(Promise);
    const [ring] = effects;
    if (ring?.kind !== "ring") throw new Error("it does not ring");
    machine.step({ type: "ring_accepted", atMs: 1000, ringId: ring.ringId }, 2);
    told.length = 0;
    hooks.carriedOut = ({ kind }) => {
      if (kind === "cancel_awaiting_answer") machine.step({ type: "alarm", atMs: 1000, names: ["red"] }, 99);
    };
    machine.step({ type: "line_down", atMs: 1000, fault: FAULT }, 3);
    expect(told).toEqual([
      ["ring_stop", 3],
      ["hardware_status", 99],
      ["error", 3],
    ]);
  });

  test("waits for one time, and it has come when the clock was set back meanwhile", () => {
    const { machine, clock, waits, effects } = atWork({ dialTone: { timeoutMs: 10_000 }, offHookTimeout: null });
    machine.step({ type: "line_up", atMs: 1000, lifted: false }, 0);
    machine.step({ type: "off_hook", atMs: 1000, trippedRing: false }, 0);
    expect(waits.map(({ ms }) => ms)).toEqual([10_000]);
    expect(effects.at(-1)?.kind).toBe("start_tone");
    clock.atMs = 0;
    waits.splice(0)[0]?.call();
    expect(effects.at(-1)?.kind).toBe("stop_tone");
    expect(stateName(machine.state)).toBe("OFF_HOOK");
  });

  test("what it refuses is thrown, and changes nothing", async () => {
    const { machine, effects } = atWork();
    const { state } = machine;
    expect(await refusal(() => machine.request({ type: "ring_requested", plan }))).toBe("line_not_ready");
    expect(await refusal(() => machine.admit("off_hook"))).toBe("line_not_ready");
    expect(machine.state).toEqual(state);
    machine.step({ type: "line_up", atMs: 1000, lifted: false }, 0);
    expect(await refusal(() => machine.admit("now"))).toBe("line_on_hook");
    expect([machine.admit("off_hook"), effects.length]).toEqual(["await_lift", 0]);
  });
});
