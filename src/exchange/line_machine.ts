/**
 * The pure machine of one line, kept at work: its state, the time that it waits for, what it tells and what it refuses.
 * Effects that reach a telephone are handed on, in their order.
 */
import type { LineEventBody } from "../line/events";
import { playDecision, step } from "../line/machine";
import { initialState, type LineEffect, type LineInput, type LineSettings, type LineState } from "../line/model";
import type { Clock } from "./clock";
import { Refusal } from "./verbs";

export type OutwardEffect = Exclude<LineEffect, { kind: "emit" | "wake" | "refuse" }>;
/** When what was asked for is heard, or hears. */
export type Beginning = Extract<ReturnType<typeof playDecision>, string>;
const NS_PER_MS = 1e6;
type WithoutTime<Input> = Input extends unknown ? Omit<Input, "atMs"> : never;

export interface LineMachineDependencies {
  clock: Clock;
  /** At the start. */
  settings: LineSettings;
  /** atMs: Unix ms, as every time in the body. */
  emit(atMs: number, nativeNs: number, body: LineEventBody): void;
  /** A promise: of a ring that was just asked for, settled when the bell has begun. */
  carryOut(effect: OutwardEffect): Promise<void> | undefined;
}

export class LineMachine {
  #state: LineState;
  #cancelWake: () => void = () => undefined;

  constructor(private readonly needs: LineMachineDependencies) {
    this.#state = initialState(needs.clock.engineMs(), needs.settings);
  }

  get state(): LineState {
    return this.#state;
  }

  /** Throws Refusal where the telephone cannot be waited for. */
  admit(when: "now" | "off_hook"): Beginning {
    const decision = playDecision(this.#state, when);
    if (typeof decision !== "string") throw new Refusal(decision.code, decision.message);
    return decision;
  }

  /** nativeNs: the engine's stamp of what was told, for the events that come of it; 0: JavaScript made it itself. */
  step(input: LineInput, nativeNs: number): { ringing: Promise<void> | null } {
    const { state, effects } = step(this.#state, input);
    this.#state = state;
    let ringing: Promise<void> | null = null;
    for (const effect of effects) {
      switch (effect.kind) {
        case "emit":
          this.needs.emit(this.#wallMs(effect.atMs), nativeNs, this.#dated(effect.body));
          break;
        case "wake":
          this.#wake(effect.atMs);
          break;
        case "refuse":
          throw new Refusal(effect.code, effect.message);
        default:
          ringing = this.needs.carryOut(effect) ?? ringing;
      }
    }
    return { ringing };
  }

  /** What is asked for just now. */
  request(input: WithoutTime<LineInput>): { ringing: Promise<void> | null } {
    return this.step({ ...input, atMs: this.needs.clock.engineMs() }, 0);
  }

  #wallMs(engineMs: number): number {
    return this.needs.clock.wallMs(engineMs * NS_PER_MS);
  }

  /** The beginning by the same clock as the end: between them is what has passed. */
  #dated(body: LineEventBody): LineEventBody {
    if (!("startMs" in body)) return body;
    const { startMs, endMs } = body;
    return { ...body, startMs: this.#wallMs(startMs), endMs: endMs === null ? null : this.#wallMs(endMs) };
  }

  #wake(atMs: number | null): void {
    this.#cancelWake();
    if (atMs === null) return;
    const { clock } = this.needs;
    // A timer's own clock is not quite the engine's: what was waited for is over all the same.
    this.#cancelWake = clock.after(Math.max(0, atMs - clock.engineMs()), () =>
      this.step({ type: "time", atMs: Math.max(atMs, clock.engineMs()) }, 0),
    );
  }
}
