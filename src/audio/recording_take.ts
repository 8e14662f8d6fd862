/**
 * What becomes of a line's sound in a recording: which samples are kept, and at which of them it ends. All times are
 * counted in samples: a block says when its last one was on the line, and what happened at a time (a key, a voice,
 * hanging up) has its place among the samples by that.
 *
 *   blocks   ▕████████▕████████▕████████▕████████▕          kept  frames that a client will hear, pauses left out
 *   events        ↑ key down       ↑ key up                 told  later than they happened: see VOICE_TOLD_WITHIN
 */
import { TELEPHONE_RATE_HZ } from "./source";

export type RecordingSource = "caller" | "played" | "both";
export type TakeEndReason = "stopped" | "max_duration" | "silence" | "finish_key" | "hung_up";

export interface TakeRules {
  source: RecordingSource;
  maxFrames: number;
  /** The caller says nothing, and presses nothing, for so long; null: no matter. */
  silenceFrames: number | null;
  /** "any", or the digits; null: none. */
  finishOnKey: string | null;
  /** Without the finishing key and what hanging up sounds like. */
  trim: boolean;
}

export interface TakeBlock {
  /** Engine time, ns, of its last sample. */
  atNs: number;
  heard: Int16Array;
  sent: Int16Array;
}

export interface TakeEnd {
  reason: TakeEndReason;
  /** Of those kept: where the recording ends. May be fewer than were handed out. */
  frames: number;
}

const FRAME_NS = 1e9 / TELEPHONE_RATE_HZ;
const FRAMES_PER_MS = TELEPHONE_RATE_HZ / 1000;
/** A talkspurt is told when the detector is sure (its hold of 80 ms, and what its belief takes): silence waits so long. */
const VOICE_TOLD_WITHIN_FRAMES = 240 * FRAMES_PER_MS;
/** The hook is looked at every 20 ms, so that its break may have begun a block before it was seen; a handset clatters
 * on its cradle a little before that. */
const HOOK_NOISE_NS = 100e6;
/** The detector dates a key's onset to about 10 ms. */
const KEY_ONSET_NS = 20e6;
/** A hang-up is sure up to 1.5 s after it happened: blocks whose place in time is remembered. */
const REMEMBERED_BLOCKS = 128;

/** A block that was seen: frame, how many had been kept by its end. */
interface Anchor {
  atNs: number;
  length: number;
  frame: number;
  kept: boolean;
}

/** Since when a key is down, and which frame it turned out to begin at: a time of the line, since a pause has no frames. */
interface KeyDown {
  atNs: number;
  frame: number | null;
}

export class RecordingTake {
  readonly #anchors: Anchor[] = [];
  #frames = 0;
  #out: Int16Array[] = [];
  #paused = false;
  #end: TakeEnd | null = null;
  #voice: boolean;
  #keyDown: KeyDown | null = null;
  /** The block of this time is waited for, and then it is over. */
  #finishNs: number | null = null;
  /** The frame since which the caller is quiet. */
  #quietSince = 0;

  constructor(
    private readonly rules: TakeRules,
    /** Samples before this time are not kept; engine time, ns. */
    private readonly fromNs: number,
    /** The caller is talking as it begins. */
    voiceActive: boolean,
  ) {
    this.#voice = voiceActive;
  }

  get channels(): 1 | 2 {
    return this.rules.source === "both" ? 2 : 1;
  }

  get frames(): number {
    return this.#frames;
  }

  get end(): TakeEnd | null {
    return this.#end;
  }

  /** Blocks that were lost before it: their time passes in silence. */
  lost(blocks: number, lengthFrames: number): void {
    if (this.#end || this.#paused) return;
    const frames = Math.min(blocks * lengthFrames, this.rules.maxFrames - this.#frames);
    this.#out.push(new Int16Array(frames * this.channels));
    this.#frames += frames;
  }

  block({ atNs, heard, sent }: TakeBlock): void {
    if (this.#end) return;
    const { length } = heard;
    const skipped = Math.min(length, Math.max(0, Math.round(length - (atNs - this.fromNs) / FRAME_NS)));
    const kept = this.#paused ? 0 : length - skipped;
    if (kept > 0) this.#keep(heard.subarray(skipped), sent.subarray(skipped));
    this.#anchors.push({ atNs, length, frame: this.#frames, kept: kept > 0 });
    if (this.#anchors.length > REMEMBERED_BLOCKS) this.#anchors.shift();
    this.#settle();
  }

  #keep(heard: Int16Array, sent: Int16Array): void {
    this.#frames += heard.length;
    if (this.rules.source !== "both") {
      this.#out.push((this.rules.source === "caller" ? heard : sent).slice());
      return;
    }
    const both = new Int16Array(heard.length * 2);
    for (let i = 0; i < heard.length; i++) {
      both[2 * i] = heard[i] as number;
      both[2 * i + 1] = sent[i] as number;
    }
    this.#out.push(both);
  }

  /** What can be decided with the newest block. */
  #settle(): void {
    const newestNs = this.#anchors.at(-1)?.atNs ?? Number.NEGATIVE_INFINITY;
    if (this.#keyDown && this.#keyDown.frame === null && this.#keyDown.atNs <= newestNs) {
      this.#keyDown.frame = this.#frameAt(this.#keyDown.atNs - KEY_ONSET_NS);
    }
    if (this.#finishNs !== null && this.#finishNs <= newestNs) this.#endWithKey(this.#finishNs);
    const { maxFrames, silenceFrames } = this.rules;
    if (this.#frames >= maxFrames) this.#endAt("max_duration", maxFrames);
    if (silenceFrames === null || this.#voice || this.#keyDown) return;
    const silentAt = this.#quietSince + silenceFrames;
    if (this.#frames >= silentAt + VOICE_TOLD_WITHIN_FRAMES) this.#endAt("silence", silentAt);
  }

  voiceStarted(atNs: number): void {
    this.#active(atNs);
    this.#voice = true;
  }

  voiceEnded(atNs: number): void {
    this.#voice = false;
    this.#quietSince = Math.max(this.#quietSince, this.#frameAt(atNs));
  }

  keyStarted(atNs: number): void {
    this.#active(atNs);
    this.#keyDown = { atNs, frame: null };
    this.#settle();
  }

  finishesWith(digit: string): boolean {
    const { finishOnKey } = this.rules;
    return finishOnKey !== null && (finishOnKey === "any" || finishOnKey.includes(digit));
  }

  keyEnded(digit: string, atNs: number): void {
    if (this.finishesWith(digit)) {
      // Trimmed, nothing of the key is waited for.
      this.#finishNs ??= this.rules.trim ? (this.#keyDown?.atNs ?? atNs) : atNs;
    } else {
      this.#keyDown = null;
      this.#quietSince = Math.max(this.#quietSince, this.#frameAt(atNs));
    }
    this.#settle();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  get paused(): boolean {
    return this.#paused;
  }

  stop(): void {
    this.#endAt("stopped", this.#frames);
  }

  /** After the last block. */
  hungUp(atNs: number): void {
    if (this.#finishNs !== null) this.#endWithKey(this.#finishNs);
    this.#endAt("hung_up", this.#frameAt(this.rules.trim ? atNs - HOOK_NOISE_NS : atNs));
  }

  /** Frames kept since the last call, their channels interleaved. */
  takeSamples(): Int16Array {
    const [only] = this.#out;
    const taken = this.#out.length === 1 && only ? only : joined(this.#out);
    this.#out = [];
    return taken;
  }

  /** The caller is heard again: was the silence before it long enough? */
  #active(atNs: number): void {
    const { silenceFrames } = this.rules;
    if (silenceFrames === null || this.#voice || this.#keyDown) return;
    const silentAt = this.#quietSince + silenceFrames;
    if (this.#frameAt(atNs) >= silentAt) this.#endAt("silence", silentAt);
  }

  #endWithKey(atNs: number): void {
    const trimmed = (): number => this.#keyDown?.frame ?? this.#frameAt(atNs - KEY_ONSET_NS);
    this.#endAt("finish_key", this.rules.trim ? trimmed() : this.#frameAt(atNs));
  }

  #endAt(reason: TakeEndReason, frames: number): void {
    this.#end ??= { reason, frames: Math.max(0, Math.min(frames, this.#frames)) };
  }

  /** How many frames had been kept at that time; in what is not known yet, all. */
  #frameAt(atNs: number): number {
    for (let i = this.#anchors.length - 1; i >= 0; i--) {
      const { atNs: blockNs, length, frame, kept } = this.#anchors[i] as Anchor;
      const before = Math.round((blockNs - atNs) / FRAME_NS);
      if (before <= 0) return frame;
      if (before <= length || i === 0) return Math.max(0, kept ? frame - before : frame);
    }
    return this.#frames;
  }
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
