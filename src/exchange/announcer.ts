/**
 * One line's announcement: it rings, waits for the answer and for the hand to reach the ear, is heard, and collects digits
 * where they are asked for.
 *
 *   announce ──▶ ringing ──lifted──▶ pause ──▶ heard ──▶ told
 *                   └────── not answered, stopped, line lost ──────▶┘        hanging up ends all but the ringing
 */
import type { DriverEvent } from "../driver/decode";
import type { AnnouncementOutcome, AnnouncementResult } from "../line/announcement";
import type { GatherResult } from "../line/gather";
import type { LineInput } from "../line/model";
import { type Announcement, type AnnounceVerb, checkAnnounce } from "./announcement";
import { invalid } from "./caller_id";
import type { Clock } from "./clock";
import { type Gather, type GatherVerb, gatherRules } from "./gather";
import { playedOf } from "./gatherer";
import type { Playback, PlaybackEnd, PlayOptions } from "./playback";
import { type PcmSource, Refusal, type RingRequest } from "./verbs";

const NS_PER_MS = 1e6;

export type AnnouncerInput = Extract<LineInput, { type: "announcement_ended" }>;

export interface AnnouncerDependencies {
  nowNs: () => number;
  after: Clock["after"];
  newAnnounceId: () => string;
  lifted: () => boolean;
  ring: (request: RingRequest) => { ringId: number; begun: Promise<unknown> };
  /** Nothing where another ring has taken its place. */
  stopRing: (ringId: number) => void;
  play: (source: PcmSource, options: PlayOptions) => Playback;
  stopPlayback: (playbackId: string) => void;
  gather: (verb: GatherVerb) => Gather;
  refuseSecondGather: () => void;
  tell: (input: AnnouncerInput, atNs: number) => void;
}

interface Active {
  announceId: string;
  verb: AnnounceVerb;
  /** asking: the driver has not taken the ring yet, and may refuse it. */
  stage: "asking" | "ringing" | "pause" | "heard";
  /** Engine time of the bell's first burst. */
  rangNs: number | null;
  answeredNs: number | null;
  /** Settles with the answer, or whatever ends it before. */
  answered: PromiseWithResolvers<void>;
  /** What ended it, where it did not run its course. */
  cut: AnnouncementOutcome | null;
  /** Ends what the stage is at. */
  interrupt: () => void;
  finished: PromiseWithResolvers<AnnouncementResult>;
}

export class Announcer {
  #active: Active | null = null;

  constructor(private readonly needs: AnnouncerDependencies) {}

  /** Settles when the bell rings, or nothing needs to. Rejects with Refusal; the source is then the caller's to close. */
  async announce(verb: AnnounceVerb): Promise<Announcement> {
    const { newAnnounceId, lifted, refuseSecondGather } = this.needs;
    const { maxRingMs, pauseMs } = checkAnnounce(verb);
    if (verb.gather) {
      gatherRules(verb.gather, "gather.");
      refuseSecondGather();
    }
    if (this.#active) {
      throw new Refusal(
        "announcement_active",
        "Something is being announced on this line already: POST /announce/stop ends that.",
      );
    }
    const active: Active = {
      announceId: newAnnounceId(),
      verb,
      stage: "asking",
      rangNs: null,
      answeredNs: null,
      answered: Promise.withResolvers(),
      cut: null,
      interrupt: () => undefined,
      finished: Promise.withResolvers(),
    };
    this.#active = active;
    const { announceId, finished } = active;
    const announcement = { announceId, finished: finished.promise, stop: () => this.#cut(active, "stopped") };
    if (!lifted() && (await this.#rings(active, maxRingMs))) {
      void active.answered.promise.then(() => this.#say(active, pauseMs));
      return announcement;
    }
    active.stage = "heard";
    if (verb.whenLifted === "play") void this.#say(active, 0);
    else {
      active.cut = "busy";
      this.#finish(active, null, null);
    }
    return announcement;
  }

  /** False: it was lifted in the moment between. */
  async #rings(active: Active, maxRingMs: number): Promise<boolean> {
    try {
      const { ringId, begun } = this.needs.ring({ ...active.verb.ring, durationMs: maxRingMs, repeat: 0 });
      active.interrupt = () => this.needs.stopRing(ringId);
      await begun;
    } catch (error) {
      if (error instanceof Refusal && error.code === "line_off_hook" && this.needs.lifted()) return false;
      this.#active = null;
      throw inItsWords(error);
    }
    active.rangNs = this.needs.nowNs();
    active.stage = "ringing";
    return true;
  }

  /** Settles when it is over. */
  stop(): Promise<AnnouncementResult> {
    const active = this.#active;
    if (!active || active.stage === "asking") {
      throw new Refusal("not_announcing", "Nothing is being announced on this line: POST /announce begins.");
    }
    this.#cut(active, "stopped");
    return active.finished.promise;
  }

  /** Before the program ends. */
  close(): void {
    if (this.#active) this.#cut(this.#active, "stopped");
  }

  /** After the line machine has learnt of it. */
  handle(event: DriverEvent): void {
    const active = this.#active;
    if (!active) return;
    if (event.kind === "off_hook" && unanswered(active)) {
      active.answeredNs = event.atNs;
      active.answered.resolve();
    } else if (event.kind === "on_hook" && !unanswered(active)) {
      this.#cut(active, "hung_up");
    } else if (event.kind === "line_down") this.#cut(active, "error");
  }

  /** The ring ended unanswered. */
  unanswered(lineLost: boolean): void {
    const active = this.#active;
    if (active && unanswered(active)) this.#cut(active, lineLost ? "error" : "not_answered");
  }

  #cut(active: Active, outcome: AnnouncementOutcome): void {
    if (active.cut !== null || this.#active !== active) return;
    active.cut = outcome;
    active.interrupt();
    active.answered.resolve();
  }

  async #say(active: Active, pauseMs: number): Promise<void> {
    if (active.cut === null) await this.#pause(active, pauseMs);
    if (active.cut !== null) {
      this.#finish(active, null, null);
      return;
    }
    active.stage = "heard";
    const { verb } = active;
    try {
      if (verb.gather) await this.#gather(active, verb.gather);
      else {
        const playback = this.needs.play(verb.source, { when: "now", loop: verb.loop });
        active.interrupt = () => this.needs.stopPlayback(playback.playbackId);
        this.#finish(active, await playback.finished, null);
      }
    } catch {
      // Too much is to be heard already, or digits are collected meanwhile, or it was hung up just now.
      active.cut ??= "error";
      this.#finish(active, null, null);
    }
  }

  async #gather(active: Active, request: NonNullable<AnnounceVerb["gather"]>): Promise<void> {
    const { source, loop } = active.verb;
    const gather = this.needs.gather({ ...request, prompt: source, loop, when: "now" });
    active.interrupt = gather.stop;
    const result = await gather.finished;
    this.#finish(active, result, result);
  }

  #pause(active: Active, pauseMs: number): Promise<void> {
    active.stage = "pause";
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.needs.after(pauseMs, resolve);
    active.interrupt = () => {
      cancel();
      resolve();
    };
    return promise;
  }

  #finish(active: Active, heard: PlaybackEnd | GatherResult | null, gather: GatherResult | null): void {
    const { announceId, verb, rangNs, answeredNs, cut, finished } = active;
    if (heard === null) verb.source.close?.();
    this.#active = null;
    const result: AnnouncementResult = {
      announceId,
      outcome: cut ?? outcomeOf(heard),
      answeredAfterMs: rangNs === null || answeredNs === null ? null : afterMs(rangNs, answeredNs),
      heardMs: heard?.heardMs ?? 0,
      played: heard === null ? "none" : "played" in heard ? heard.played : playedOf(heard),
      gather,
    };
    this.needs.tell({ type: "announcement_ended", atMs: 0, result }, this.needs.nowNs());
    finished.resolve(result);
  }
}

const unanswered = ({ stage, answeredNs, cut }: Active): boolean =>
  (stage === "asking" || stage === "ringing") && answeredNs === null && cut === null;

/** The bell's pattern has another name here. */
function inItsWords(error: unknown): unknown {
  if (!(error instanceof Refusal) || error.code !== "invalid_input") return error;
  return invalid(
    ...error.fields.map(({ field, message }) => ({
      field: field === "pattern" ? "ring_pattern" : field,
      message,
    })),
  );
}

/** A lift is dated back: it may seem to lie before our word of the bell. */
const afterMs = (fromNs: number, toNs: number): number => Math.max(0, Math.round((toNs - fromNs) / NS_PER_MS));

/** Of one that nobody cut short: another client may have stopped its sound. */
function outcomeOf(heard: PlaybackEnd | GatherResult | null): AnnouncementOutcome {
  switch (heard?.reason) {
    case undefined:
    case "error":
    case "cancelled":
      return "error";
    case "hung_up":
      return "hung_up";
    case "stopped":
    case "replaced":
      return "stopped";
    default:
      return "completed";
  }
}
