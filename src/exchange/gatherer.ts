/**
 * One line's digits, collected: from the request over the wait for a lift and the prompt to the result. What counts and
 * when it ends is decided by line/gather.ts; here it gets its events and its time.
 */
import type { DriverEvent } from "../driver/decode";
import {
  type GatherInput,
  type GatherResult,
  type GatherRules,
  type GatherState,
  gatherDeadlineMs,
  gatherStart,
  gatherStep,
  type Played,
} from "../line/gather";
import type { LineInput } from "../line/model";
import type { Clock } from "./clock";
import { type Gather, type GatherVerb, gatherRules } from "./gather";
import type { Beginning } from "./line_machine";
import type { Playback, PlaybackEnd, PlayOptions } from "./playback";
import { type PcmSource, Refusal } from "./verbs";

const NS_PER_MS = 1e6;
/** A key is told so long after it went down, at most: detector, block, doorbell. What was pressed in time counts. */
const TOLD_WITHIN_MS = 100;
const UNHEARD: PlaybackEnd = { reason: "cancelled", heardMs: 0 };

export type GathererInput = Extract<LineInput, { type: "gather_started" | "gather_ended" }>;
type LeftReason = Extract<GatherInput, { type: "left" }>["reason"];

export interface GathererDependencies {
  nowNs: () => number;
  after: Clock["after"];
  newGatherId: () => string;
  /** As of playback; throws Refusal. */
  admit: (when: GatherVerb["when"]) => Beginning;
  play: (source: PcmSource, options: PlayOptions) => Playback;
  stopPlayback: (playbackId: string) => void;
  /** One that is heard, the I/O thread has stopped itself by then. */
  stopUnheard: (playbackId: string) => void;
  tell: (input: GathererInput, atNs: number) => void;
}

interface Active {
  gatherId: string;
  rules: GatherRules;
  verb: GatherVerb;
  /** null: it waits for the lift. */
  state: GatherState | null;
  waitsFor: "answer" | "lift" | null;
  startedNs: number;
  prompt: Playback | null;
  cancelWake: () => void;
  finished: PromiseWithResolvers<GatherResult>;
}

export class Gatherer {
  #active: Active | null = null;

  constructor(private readonly needs: GathererDependencies) {}

  /** Throws Refusal; the prompt is then the caller's to close. */
  gather(verb: GatherVerb): Gather {
    const rules = gatherRules(verb);
    this.refuseSecond();
    const beginning = this.needs.admit(verb.when);
    const active: Active = {
      gatherId: this.needs.newGatherId(),
      rules,
      verb,
      state: null,
      waitsFor: beginning === "now" ? null : beginning === "await_answer" ? "answer" : "lift",
      startedNs: this.needs.nowNs(),
      prompt: null,
      cancelWake: () => undefined,
      finished: Promise.withResolvers(),
    };
    if (beginning === "now") this.#begin(active);
    this.#active = active;
    return {
      gatherId: active.gatherId,
      finished: active.finished.promise,
      stop: () => this.#left(active, "stopped"),
    };
  }

  refuseSecond(): void {
    if (!this.#active) return;
    throw new Refusal("gather_active", "Digits are collected on this line already: POST /gather/stop ends that.");
  }

  /** Settles when it is over. */
  stop(): Promise<GatherResult> {
    const active = this.#active;
    if (!active) {
      throw new Refusal("not_gathering", "No digits are collected on this line: POST /gather begins.");
    }
    this.#left(active, "stopped");
    return active.finished.promise;
  }

  /** Before the program ends. */
  close(): void {
    if (this.#active) this.#left(this.#active, "stopped");
  }

  /** After the line machine has learnt of it. */
  handle(event: DriverEvent): void {
    const active = this.#active;
    if (!active) return;
    const atMs = event.atNs / NS_PER_MS;
    switch (event.kind) {
      case "dtmf_down":
      case "pulse_start":
        this.#step(active, { type: "key_started", atMs });
        break;
      case "dtmf_up":
      case "pulse_digit":
        this.#step(active, { type: "digit", atMs, digit: event.digit });
        break;
      case "voice_start":
        this.#step(active, { type: "voice_started", atMs });
        break;
      case "on_hook":
        if (active.state) this.#left(active, "hung_up", atMs);
        break;
      case "line_down":
        if (active.waitsFor !== "lift") this.#left(active, "error");
        break;
      default:
        break;
    }
  }

  lifted(): void {
    const active = this.#active;
    if (!active?.waitsFor || active.state) return;
    active.waitsFor = null;
    active.startedNs = this.needs.nowNs();
    try {
      this.#begin(active);
    } catch {
      this.#left(active, "error"); // too much is to be heard already
    }
  }

  /** The ring ended unanswered. */
  unanswered(lineLost: boolean): void {
    if (this.#active?.waitsFor === "answer") this.#left(this.#active, lineLost ? "error" : "cancelled");
  }

  #begin(active: Active): void {
    const { rules, verb, gatherId } = active;
    const { play, tell, nowNs } = this.needs;
    if (verb.prompt) {
      active.prompt = play(verb.prompt, { when: "now", loop: verb.loop, bargeIn: rules.bargeIn });
      void active.prompt.finished.then(() => this.#step(active, { type: "prompt_ended", atMs: this.#nowMs }));
    }
    active.state = gatherStart(rules, verb.prompt !== null, this.#nowMs);
    tell({ type: "gather_started", atMs: 0, gatherId }, nowNs());
    this.#expect(active);
  }

  #left(active: Active, reason: LeftReason, atMs = this.#nowMs): void {
    // One that waits ends as one that has begun.
    active.state ??= gatherStart(active.rules, false, atMs);
    this.#step(active, { type: "left", reason, atMs });
  }

  #step(active: Active, input: GatherInput): void {
    const before = active.state;
    if (!before || before.end) return;
    const state = gatherStep(before, input);
    active.state = state;
    if (before.prompting && !state.prompting && active.prompt && input.type !== "prompt_ended") {
      this.needs.stopUnheard(active.prompt.playbackId);
    }
    this.#expect(active);
    if (state.end) void this.#finish(active, state);
  }

  #expect(active: Active): void {
    active.cancelWake();
    const dueMs = active.state && gatherDeadlineMs(active.state);
    if (dueMs === null) return;
    const waitMs = Math.max(0, dueMs - this.#nowMs + TOLD_WITHIN_MS);
    active.cancelWake = this.needs.after(waitMs, () =>
      this.#step(active, { type: "time", atMs: Math.max(dueMs, this.#nowMs) }),
    );
  }

  async #finish(
    { prompt, gatherId, startedNs, finished, verb }: Active,
    { digits, end }: GatherState,
  ): Promise<void> {
    const endedNs = this.needs.nowNs();
    if (prompt) this.needs.stopPlayback(prompt.playbackId);
    else verb.prompt?.close?.();
    // How much of it was heard is known when it has faded.
    const heard = (await prompt?.finished) ?? UNHEARD;
    this.#active = null;
    const { reason, finishKey } = end as NonNullable<typeof end>;
    const result: GatherResult = {
      gatherId,
      digits,
      reason,
      finishKey,
      heardMs: heard.heardMs,
      played: playedOf(heard),
      durationMs: Math.round((endedNs - startedNs) / NS_PER_MS),
    };
    this.needs.tell({ type: "gather_ended", atMs: 0, result }, endedNs);
    finished.resolve(result);
  }

  get #nowMs(): number {
    return this.needs.nowNs() / NS_PER_MS;
  }
}

export const playedOf = ({ reason, heardMs }: PlaybackEnd): Played =>
  reason === "completed" ? "whole" : heardMs > 0 ? "part" : "none";
