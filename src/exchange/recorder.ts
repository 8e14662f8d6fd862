/**
 * One line's recording: from the request over the wait for a lift and the beep to the file that is closed. What is
 * kept and where it ends is decided by the take, in samples; here it gets its blocks and its events, in their order.
 *
 *   record ──▶ waiting ──lifted──▶ beep ──heard──▶ recording ⇄ paused ──▶ finishing ──▶ told
 *                 └────────────── what never began is told too, and leaves no file ─────▲
 */
import { RecordingTake, type TakeRules } from "../audio/recording_take";
import { type PcmSource, TELEPHONE_RATE_HZ } from "../audio/source";
import type { DriverEvent } from "../driver/decode";
import type { LineInput } from "../line/model";
import type { PlaybackEndReason, RecordingEndReason } from "../line/state";
import { type Recording, type RecordingWriter, waitingRecording } from "../recordings/recording";
import type { RecordingStore } from "../recordings/store";
import type { Beginning } from "./line_machine";
import { type LineTap, TAP_BLOCK_SAMPLES } from "./line_tap";
import { recordingRules } from "./record_request";
import { type Playback, type RecordAnswer, type RecordRequest, Refusal } from "./verbs";

/** Half a second: few writes, and little to lose. */
const WRITE_EVERY_BLOCKS = 25;
const FRAMES_PER_MS = TELEPHONE_RATE_HZ / 1000;

export type RecordingInput = Extract<LineInput, { type: "recording_started" | "recording_ended" }>;

export interface RecorderDependencies {
  line: number;
  tap: LineTap;
  store: RecordingStore;
  nowNs: () => number;
  nowMs: () => number;
  newRecordingId: () => string;
  maxDurationMs: () => number;
  /** As of playback; throws Refusal. */
  admit: (when: RecordRequest["when"]) => Beginning;
  /** Is the caller talking? */
  talking: () => boolean;
  beep: () => PcmSource;
  play: (source: PcmSource) => Playback;
  tell: (input: RecordingInput, atNs: number) => void;
}

interface Active {
  recording: Recording;
  rules: TakeRules;
  beep: boolean;
  stage: "asking" | "await_answer" | "await_lift" | "beep" | "recording" | "finishing";
  beepId: string | null;
  take: RecordingTake | null;
  writer: RecordingWriter | null;
  lostBlocks: number;
  unwrittenBlocks: number;
  unlisten: () => void;
  finished: PromiseWithResolvers<Recording>;
}

export class Recorder {
  #active: Active | null = null;

  constructor(private readonly needs: RecorderDependencies) {}

  async record(request: RecordRequest): Promise<RecordAnswer> {
    const { store, line, newRecordingId, nowMs, maxDurationMs } = this.needs;
    const rules = recordingRules(request, maxDurationMs());
    if (this.#active) {
      throw new Refusal("recording_active", "This line is being recorded already: POST /record/stop ends that.");
    }
    this.needs.admit(request.when);
    const recording = waitingRecording(newRecordingId(), line, rules.source, nowMs());
    const active = newActive(recording, rules, request.beep ?? false);
    this.#active = active;
    try {
      await store.admit();
      const beginning = this.needs.admit(request.when); // the telephone may have been hung up meanwhile
      store.announce(recording);
      if (beginning === "now") this.#lifted(active);
      else active.stage = beginning;
    } catch (error) {
      this.#active = null;
      active.unlisten();
      store.withdraw(recording.id);
      throw error;
    }
    return { recordingId: recording.id };
  }

  /** Settles when the file is closed. */
  stop(): Promise<Recording> {
    const active = this.#current();
    if (active.stage === "recording") {
      this.needs.tap.readAll();
      active.take?.stop();
      this.#delivered(active);
    } else if (active.stage !== "finishing") this.#neverBegan(active, "stopped");
    return active.finished.promise;
  }

  pause(): Recording {
    const { take, writer, recording } = this.#begun();
    this.needs.tap.readAll();
    take.pause();
    writer.append(take.takeSamples());
    writer.settle();
    if (!take.end) recording.state = "paused";
    return recording;
  }

  resume(): Recording {
    const { take, recording } = this.#begun();
    this.needs.tap.readAll(); // what was said in the pause
    take.resume();
    if (!take.end) recording.state = "recording";
    return recording;
  }

  /** Before the line machine learns of it. */
  handle(event: DriverEvent): void {
    this.needs.tap.handle(event);
    const active = this.#active;
    if (!active) return;
    if (event.kind === "on_hook" || event.kind === "line_down") this.#left(active, event);
    const { take } = active;
    if (!take || active.stage !== "recording") return;
    switch (event.kind) {
      case "voice_start":
        take.voiceStarted(event.atNs);
        break;
      case "voice_end":
        take.voiceEnded(event.atNs);
        break;
      case "dtmf_down":
      case "pulse_start":
        take.keyStarted(event.atNs);
        break;
      case "dtmf_up":
      case "pulse_digit":
        // What else was told of those blocks does not matter any more.
        if (take.finishesWith(event.digit)) this.needs.tap.readAll();
        take.keyEnded(event.digit, event.atNs);
        break;
      default:
        return;
    }
    if (take.end) this.#delivered(active);
  }

  lifted(): void {
    const active = this.#active;
    if (active?.stage !== "await_lift" && active?.stage !== "await_answer") return;
    try {
      this.#lifted(active);
    } catch {
      this.#neverBegan(active, "error"); // no room for the beep
    }
  }

  /** The ring ended unanswered. */
  cancelAwaitingAnswer(): void {
    if (this.#active?.stage === "await_answer") this.#neverBegan(this.#active, "stopped");
  }

  /** Told as it happens, for the samples that follow its end. */
  playbackEnded(playbackId: string, reason: PlaybackEndReason, atNs: number): void {
    const active = this.#active;
    if (reason === "hung_up" || reason === "error") return; // on_hook or line_down follows
    if (active?.stage === "beep" && active.beepId === playbackId) this.#begin(active, atNs);
  }

  #lifted(active: Active): void {
    active.unlisten = this.needs.tap.listen({
      everyBlocks: WRITE_EVERY_BLOCKS,
      block: (block, lostBefore) => {
        if (!active.take) return;
        active.take.lost(lostBefore, TAP_BLOCK_SAMPLES);
        active.take.block(block);
        active.lostBlocks += lostBefore;
        active.unwrittenBlocks++;
      },
      delivered: () => this.#delivered(active),
    });
    if (active.beep) this.#soundBeep(active);
    else this.#begin(active, Number.NEGATIVE_INFINITY);
  }

  #soundBeep(active: Active): void {
    const { beep, play, nowNs } = this.needs;
    active.stage = "beep";
    const playback = play(beep());
    active.beepId = playback.playbackId;
    // Cleared out of the queue before anybody heard it: then there is no end of it to wait for.
    void playback.finished.then(({ reason }) => {
      if (active.stage === "beep" && reason !== "hung_up") this.#begin(active, nowNs());
    });
  }

  #begin(active: Active, fromNs: number): void {
    const { recording, rules } = active;
    const { store, tell, nowMs, nowNs, talking } = this.needs;
    active.stage = "recording";
    active.take = new RecordingTake(rules, fromNs, talking());
    recording.startedAtMs = nowMs();
    recording.state = "recording";
    active.writer = store.begin(recording, (reason) => {
      if (active.stage === "recording") this.#finish(active, active.take?.frames ?? 0, reason);
    });
    const atNs = Number.isFinite(fromNs) ? fromNs : nowNs();
    tell({ type: "recording_started", atMs: 0, recordingId: recording.id }, atNs);
  }

  /** The telephone was hung up, or its line is gone. */
  #left(active: Active, event: DriverEvent & { kind: "on_hook" | "line_down" }): void {
    if (active.stage === "beep") this.#neverBegan(active, event.kind === "on_hook" ? "hung_up" : "error");
    else if (active.stage === "await_answer" && event.kind === "line_down") this.#neverBegan(active, "error");
    if (active.stage !== "recording" || !active.take) return;
    this.needs.tap.readAll();
    if (event.kind === "line_down") this.#finish(active, active.take.frames, "error");
    active.take.hungUp(event.atNs);
    this.#delivered(active);
  }

  #delivered(active: Active): void {
    const { take, writer } = active;
    if (active.stage !== "recording" || !take || !writer) return;
    if (take.end) {
      this.#finish(active, take.end.frames, take.end.reason);
    } else if (active.unwrittenBlocks >= WRITE_EVERY_BLOCKS) {
      active.unwrittenBlocks = 0;
      writer.append(take.takeSamples());
    }
  }

  #finish(active: Active, frames: number, reason: RecordingEndReason): void {
    active.stage = "finishing";
    active.unlisten();
    const { take, writer } = active;
    if (!take || !writer) return;
    writer.append(take.takeSamples());
    const lostMs = (active.lostBlocks * TAP_BLOCK_SAMPLES) / FRAMES_PER_MS;
    const endedNs = this.needs.nowNs();
    void writer.finish({ frames, reason, lostMs }).then((recording) => this.#tellEnd(active, recording, endedNs));
  }

  #neverBegan(active: Active, reason: RecordingEndReason): void {
    active.stage = "finishing";
    active.unlisten();
    this.needs.store.withdraw(active.recording.id);
    active.recording.reason = reason;
    this.#tellEnd(active, active.recording, this.needs.nowNs());
  }

  #tellEnd(active: Active, recording: Recording, endedNs: number): void {
    this.#active = null;
    const { id: recordingId, durationMs, bytes } = recording;
    const reason = recording.reason ?? "error";
    this.needs.tell({ type: "recording_ended", atMs: 0, recordingId, reason, durationMs, bytes }, endedNs);
    active.finished.resolve(recording);
  }

  #current(): Active {
    if (this.#active && this.#active.stage !== "asking") return this.#active;
    throw new Refusal("not_recording", "Nothing is being recorded on this line: POST /record begins.");
  }

  #begun(): { take: RecordingTake; writer: RecordingWriter; recording: Recording } {
    const { stage, take, writer, recording } = this.#current();
    if (stage === "recording" && take && writer) return { take, writer, recording };
    throw new Refusal("not_recording", "The recording has not begun yet, or is over.");
  }

  /** Before the program ends. */
  async close(): Promise<void> {
    if (this.#active && this.#active.stage !== "asking") await this.stop();
  }
}

function newActive(recording: Recording, rules: TakeRules, beep: boolean): Active {
  return {
    recording,
    rules,
    beep,
    stage: "asking",
    beepId: null,
    take: null,
    writer: null,
    lostBlocks: 0,
    unwrittenBlocks: 0,
    unlisten: () => undefined,
    finished: Promise.withResolvers(),
  };
}
