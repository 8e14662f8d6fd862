/**
 * Live audio of one line: who listens gets what the telephone says, block by block as the card delivers it; who
 * talks is heard, by the card's clock. A session begins when the telephone is lifted and ends when it is hung up.
 *
 *   open ──▶ waiting ──lifted──▶ started ──on_hook, line_down, close──▶ closed
 */
import { FIRST_TALKER } from "../driver/abi.gen";
import type { DriverEvent } from "../driver/decode";
import type { PlayLane } from "../driver/play_lane";
import type { Beginning } from "./line_machine";
import type { LineTap, TapBlock } from "./line_tap";
import { DEFAULT_TARGET_MS, Talker, type TalkerStats } from "./talker";
import { Refusal } from "./verbs";

/** Nobody listens: the tap is the clock by which what waits is poured on. */
const POUR_EVERY_BLOCKS = 5;

/** hung_up, line_down: of the telephone; unanswered: it was rung and not lifted; closed: by close(). */
export type AudioEndReason = "hung_up" | "line_down" | "unanswered" | "closed";

export interface AudioRequest {
  /** Omitted: true. */
  listen?: boolean;
  talk: boolean;
  /** Talks along with others who allow it, too; omitted: alone, or not at all. */
  mixed?: boolean;
  /** 20 ms each, in one frame; omitted: 1. */
  frameBlocks?: 1 | 2 | 3;
  /** Of the talker's jitter buffer: heard when so much has come. */
  targetMs?: number;
  /** What waits for longer is dropped, the oldest first; omitted: nothing is, and what exceeds half a minute is not taken. */
  maxMs?: number;
  /** As of playback; omitted: now. */
  when?: "now" | "off_hook";
  /** The telephone is lifted: frames follow. Called at once where it is. */
  started?(): void;
  /** 160 samples for each block, 8 kHz; its only during the call. lost: blocks before it that nobody read in time. */
  frame(samples: Int16Array, lost: number): void;
  /** More waits than is good: true; little again: false. */
  flow?(full: boolean): void;
  /** Once; not where close() was called. */
  closed(reason: AudioEndReason): void;
}

export interface AudioSession {
  /** How many were taken: all, unless too much waits, or the telephone was not lifted yet. */
  talk(samples: Int16Array): number;
  /** heard is called when all that was talked before has been heard, or will not be (cleared). */
  mark(name: string, heard: (name: string, cleared: boolean) => void): void;
  /** What waits is dropped. */
  clear(): void;
  stats(): AudioStats;
  close(): void;
}

export interface AudioStats extends TalkerStats {
  /** Came while too much waited, or waited for too long, or nobody could hear it. */
  droppedSamples: number;
  framesOut: number;
  /** Blocks that JavaScript read too late. */
  lostBlocks: number;
}

const SILENT: TalkerStats = { samplesIn: 0, bufferedMs: 0, underruns: 0, droppedSamples: 0 };
export interface LiveAudioDependencies {
  tap: LineTap;
  /** Of talkers. */
  lanes: readonly PlayLane[];
  /** As of playback; throws Refusal. */
  admit: (when: "now" | "off_hook") => Beginning;
  attach: () => void;
  detach: () => void;
}

interface Active {
  request: AudioRequest;
  stage: "await_answer" | "await_lift" | "started" | "closed";
  /** The lane that is its own; null: it only listens. */
  lane: number | null;
  talker: Talker | null;
  /** Of the talker that there was. */
  talked: TalkerStats;
  frame: Int16Array;
  frameFilled: number;
  lostBefore: number;
  framesOut: number;
  lostBlocks: number;
  refusedSamples: number;
  unlisten: () => void;
}

export class LiveAudio {
  readonly #sessions = new Set<Active>();

  constructor(private readonly needs: LiveAudioDependencies) {}

  /** Throws what open would. */
  admit({ talk, mixed, when }: Pick<AudioRequest, "talk" | "mixed" | "when">): Beginning {
    const beginning = this.needs.admit(when ?? "now");
    if (!talk) return beginning;
    const talkers = [...this.#sessions].filter(({ lane }) => lane !== null);
    if (talkers.length > 0 && !(mixed && talkers.every(({ request }) => request.mixed))) {
      throw new Refusal(
        "talker_active",
        "A client of WS /audio or a voice bot talks on this line already: end that first, or only listen (mode=listen), " +
          "or let all of them say mix=true.",
      );
    }
    if (talkers.length >= this.needs.lanes.length) {
      throw new Refusal("talker_active", `${talkers.length} talk on this line already: that is the most.`);
    }
    return beginning;
  }

  open(request: AudioRequest): AudioSession {
    const beginning = this.admit(request);
    const taken = [...this.#sessions].map(({ lane }) => lane);
    const active: Active = {
      request,
      stage: beginning === "now" ? "await_lift" : beginning,
      lane: request.talk ? this.needs.lanes.findIndex((_, lane) => !taken.includes(lane)) : null,
      talker: null,
      talked: SILENT,
      frame: new Int16Array(0),
      frameFilled: 0,
      lostBefore: 0,
      framesOut: 0,
      lostBlocks: 0,
      refusedSamples: 0,
      unlisten: () => undefined,
    };
    this.#sessions.add(active);
    this.needs.attach();
    if (beginning === "now") this.#start(active);
    return {
      talk: (samples) => {
        const taken = active.talker?.talk(samples) ?? 0;
        active.refusedSamples += samples.length - taken;
        return taken;
      },
      mark: (name, heard) => (active.talker ? active.talker.mark(name, heard) : heard(name, true)),
      clear: () => active.talker?.clear(),
      stats: () => {
        const talked = active.talker?.stats() ?? active.talked;
        const { framesOut, lostBlocks, refusedSamples } = active;
        return { ...talked, droppedSamples: talked.droppedSamples + refusedSamples, framesOut, lostBlocks };
      },
      close: () => this.#end(active),
    };
  }

  /** After the tap has had it. */
  handle(event: DriverEvent): void {
    if (event.kind === "play_done") this.#markHeard(event.lane - FIRST_TALKER, event.mark);
    if (event.kind !== "on_hook" && event.kind !== "line_down") return;
    for (const active of [...this.#sessions]) {
      if (active.stage === "await_lift" || (active.stage === "await_answer" && event.kind === "on_hook")) continue;
      this.#end(active, event.kind === "on_hook" ? "hung_up" : "line_down");
    }
  }

  /** Of the queue's and the overlays' lanes, which are below zero here, nothing is meant for a talker. */
  #markHeard(lane: number, mark: number): void {
    for (const active of this.#sessions) if (active.lane === lane) active.talker?.done(mark);
  }

  lifted(): void {
    for (const active of [...this.#sessions]) {
      if (active.stage === "await_answer" || active.stage === "await_lift") this.#start(active);
    }
  }

  /** The ring ended unanswered. */
  cancelAwaitingAnswer(): void {
    for (const active of [...this.#sessions]) if (active.stage === "await_answer") this.#end(active, "unanswered");
  }

  #start(active: Active): void {
    const { tap, lanes } = this.needs;
    const { request } = active;
    active.stage = "started";
    const lane = active.lane === null ? null : lanes[active.lane];
    if (lane) {
      active.talker = new Talker(lane, {
        targetMs: request.targetMs ?? DEFAULT_TARGET_MS,
        maxMs: request.maxMs ?? null,
        flow: (full) => request.flow?.(full),
      });
    }
    const listens = request.listen ?? true;
    request.started?.();
    if (active.stage !== "started") return; // closed by what was just told
    active.unlisten = tap.listen({
      everyBlocks: listens ? (request.frameBlocks ?? 1) : POUR_EVERY_BLOCKS,
      block: (block, lostBefore) => {
        if (listens) this.#hear(active, block, lostBefore);
      },
      delivered: () => active.talker?.pour(),
    });
  }

  #hear(active: Active, { heard }: TapBlock, lostBefore: number): void {
    if (active.stage !== "started") return;
    active.lostBlocks += lostBefore;
    active.lostBefore += lostBefore;
    const blocks = active.request.frameBlocks ?? 1;
    if (active.frame.length === 0) active.frame = new Int16Array(heard.length * blocks);
    active.frame.set(heard, active.frameFilled);
    active.frameFilled += heard.length;
    if (active.frameFilled < active.frame.length) return;
    const lost = active.lostBefore;
    active.frameFilled = 0;
    active.lostBefore = 0;
    active.framesOut++;
    active.request.frame(active.frame, lost);
  }

  #end(active: Active, reason?: AudioEndReason): void {
    if (active.stage === "closed") return;
    active.stage = "closed";
    active.unlisten();
    this.#sessions.delete(active);
    if (active.talker) {
      active.talked = active.talker.stats();
      active.talker.close();
      active.talker = null;
    }
    this.needs.detach();
    if (reason) active.request.closed(reason);
  }
}
