/** The lines and the public verbs: all that http may call. */
import { progressTones } from "../audio/call_progress";
import { oncePlayed, PLAIN_TONE_LEVEL_DBM0, type RenderTone, type TonePlan, toneSource } from "../audio/tone_plan";
import { zoneTone } from "../audio/tone_zones";
import type { DriverEvent } from "../driver/decode";
import type { DriverEngine } from "../driver/engine";
import { Handset } from "../driver/handset";
import { Port } from "../driver/port";
import type { AnnouncementResult } from "../line/announcement";
import type { GatherResult } from "../line/gather";
import type { LineTone } from "../line/model";
import type { Recording } from "../recordings/recording";
import type { Announcement, AnnounceVerb } from "./announcement";
import { Bridges } from "./bridges";
import type { Clock } from "./clock";
import type { Gather, GatherVerb } from "./gather";
import { SimulatedHandsets } from "./handsets";
import { lineDiagnostics } from "./line_diagnostics";
import type { LineRules } from "./line_rules";
import { LineRunner, type Publish } from "./line_runner";
import type { TapListener } from "./line_tap";
import type { AudioRequest, AudioSession } from "./live_audio";
import { LinePlaybacks } from "./playbacks";
import type { RecorderDependencies } from "./recorder";
import { planTone } from "./tone_request";
import {
  type CallerIdRequest,
  type Exchange,
  type Handsets,
  type LineDiagnostics,
  type LineStatus,
  type MessageWaitingAnswer,
  type MessageWaitingRequest,
  type PcmSource,
  type Playback,
  type Playbacks,
  type PlayOptions,
  type RecordAnswer,
  type RecordRequest,
  Refusal,
  type RingAnswer,
  type RingRequest,
  type ToneRequest,
  type VoltageReading,
  type WaitingCallAnswer,
} from "./verbs";

export interface LineSetup {
  /** As the API counts: DAHDI's channel number. */
  line: number;
  /** null: simulated. */
  device: string | null;
}

export interface ExchangeOptions {
  engine: DriverEngine;
  lines: readonly LineSetup[];
  defaultLine: number;
  clock: Clock;
  publish: Publish;
  newPlaybackId: () => string;
  newBridgeId: () => string;
  newGatherId: () => string;
  newAnnounceId: () => string;
  rules: () => LineRules;
  /** What outlives a restart. */
  messagesKept?: (line: number, count: number) => void;
  /** Whose tones are heard, ISO 3166. */
  toneZone: string;
  recording: Pick<RecorderDependencies, "store" | "newRecordingId">;
  /** Are lines listened to for a far exchange's and fax machines' tones? */
  callProgress: boolean;
}

export interface Standstills {
  /** Events. */
  lost: number;
  /** Of the watchdog. */
  trips: number;
}

/** "Speak now": as answering machines have it. */
const BEEP: TonePlan = { levelDbm0: PLAIN_TONE_LEVEL_DBM0, segments: [{ frequenciesHz: [1400], ms: null }] };
const BEEP_MS = 250;

export class PhoneExchange implements Exchange {
  readonly defaultLine: number;
  readonly lines: readonly number[];
  readonly handsets: Handsets | null;
  readonly playbacks: Playbacks;
  readonly bridges: Bridges;
  readonly #engine: DriverEngine;
  readonly #runners: readonly LineRunner[];
  readonly #byLine: ReadonlyMap<number, LineRunner>;
  readonly #simulated: SimulatedHandsets | null;
  readonly #options: ExchangeOptions;
  readonly #renderTone: RenderTone = (frequenciesHz, levelDbm0, start, into) =>
    this.#engine.renderTone(frequenciesHz, levelDbm0, start, into);
  #toldLost = 0;
  #toldTrips = 0;

  /** Adds its lines to the engine, which must not be started yet. */
  constructor(options: ExchangeOptions) {
    const { engine } = options;
    this.#engine = engine;
    this.#options = options;
    this.defaultLine = options.defaultLine;
    this.lines = options.lines.map(({ line }) => line);
    if (options.callProgress) engine.listenFor(progressTones(options.toneZone));
    const handsets = new Map<number, Handset>();
    const lineTone = (tone: LineTone): PcmSource =>
      toneSource(zoneTone(options.toneZone, tone), null, this.#renderTone);
    const callWaitingTone = (): Int16Array =>
      oncePlayed(zoneTone(options.toneZone, "call_waiting"), this.#renderTone);
    const beep = (): PcmSource => toneSource(BEEP, BEEP_MS, this.#renderTone);
    const recording = { ...options.recording, beep };
    this.#runners = options.lines.map(({ line, device }) => {
      const index = device === null ? engine.addSimulated() : engine.addDahdi(device, line);
      if (device === null) handsets.set(line, new Handset(engine, index));
      const port = new Port(engine, index, line, device);
      return new LineRunner({
        ...options,
        line,
        port,
        lineTone,
        callWaitingTone,
        recording,
      });
    });
    this.#byLine = new Map(this.#runners.map((runner) => [runner.line, runner]));
    this.#simulated = handsets.size > 0 ? new SimulatedHandsets(handsets) : null;
    this.handsets = this.#simulated;
    this.playbacks = new LinePlaybacks(this.#runners.map(({ playout }) => playout));
    this.bridges = new Bridges({
      runner: (line) => this.#runner(line),
      newBridgeId: options.newBridgeId,
      tell: (line, body) => options.publish(line, options.clock.nowMs(), 0, body),
    });
  }

  /** The configuration has changed: `rules` says otherwise now. */
  rulesChanged(): void {
    for (const runner of this.#runners) runner.rulesChanged();
  }

  /** Every driver event, in the order in which the I/O thread told them. */
  handle(event: DriverEvent): void {
    const runner = this.#runners[event.index];
    if (!runner) return;
    if (event.kind === "mic_low") this.#simulated?.micLow(runner.line);
    else runner.handle(event);
    this.bridges.moved(runner.line).catch(() => undefined); // a line that is gone needs no word to its card
  }

  /** Hands over what the line hears while it is lifted; returns how to stop that. */
  listen(line: number, listener: TapListener): () => void {
    return this.#runner(line).tap.listen(listener);
  }

  /**
   * Did JavaScript stand still, so that the I/O thread ended rings by itself (seconds), or lost events because nobody
   * drained them (minutes)? Then every line says so: clients ask for the state anew. Returns what is new.
   */
  tellStandstills(): Standstills {
    const { events_lost, watchdog_trips } = this.#engine.engineStats();
    const lost = events_lost - this.#toldLost;
    const trips = watchdog_trips - this.#toldTrips;
    this.#toldLost = events_lost;
    this.#toldTrips = watchdog_trips;
    if (trips > 0) this.#tellAll("watchdog", { trips });
    if (lost > 0) this.#tellAll("events_lost", { lost });
    return { lost, trips };
  }

  #tellAll(status: string, details: Record<string, unknown>): void {
    const atMs = this.#options.clock.nowMs();
    for (const { line } of this.#runners)
      this.#options.publish(line, atMs, 0, { type: "hardware_status", status, details });
  }

  status(line: number): LineStatus {
    return this.#runner(line).status();
  }

  voltage(line: number): VoltageReading {
    return this.#runner(line).voltage();
  }

  ring(line: number, request: RingRequest): Promise<RingAnswer> {
    return this.#runner(line).ring(request);
  }

  stopRing(line: number): Promise<{ wasRinging: boolean }> {
    return this.#runner(line).stopRing();
  }

  play(line: number, source: PcmSource, options: PlayOptions): Playback {
    return this.#runner(line).play(source, options);
  }

  tone(line: number, request: ToneRequest, when: PlayOptions["when"] = "now"): Playback {
    return this.#runner(line).play(this.toneSource(request), { when });
  }

  toneSource(request: ToneRequest): PcmSource {
    const { plan, durationMs } = planTone(request, this.#options.toneZone);
    return toneSource(plan, durationMs, this.#renderTone);
  }

  async callWaiting(line: number, callerId: CallerIdRequest | null): Promise<WaitingCallAnswer> {
    return this.#runner(line).callWaiting(callerId);
  }

  messageWaiting(line: number, request: MessageWaitingRequest): MessageWaitingAnswer {
    const answer = this.#runner(line).messageWaiting(request);
    this.#options.messagesKept?.(line, answer.count);
    return answer;
  }

  farEndLost(line: number): void {
    this.#runner(line).farEndLost();
  }

  gather(line: number, verb: GatherVerb): Gather {
    return this.#runner(line).gatherer.gather(verb);
  }

  async stopGather(line: number): Promise<GatherResult> {
    return this.#runner(line).gatherer.stop();
  }

  async announce(line: number, verb: AnnounceVerb): Promise<Announcement> {
    return this.#runner(line).announcer.announce(verb);
  }

  async stopAnnouncement(line: number): Promise<AnnouncementResult> {
    return this.#runner(line).announcer.stop();
  }

  admitAudio(line: number, request: Pick<AudioRequest, "talk" | "mixed" | "when">): void {
    this.#runner(line).liveAudio.admit(request);
  }

  openAudio(line: number, request: AudioRequest): AudioSession {
    return this.#runner(line).liveAudio.open(request);
  }

  async record(line: number, request: RecordRequest): Promise<RecordAnswer> {
    return this.#runner(line).recorder.record(request);
  }

  async stopRecording(line: number): Promise<Recording> {
    return this.#runner(line).recorder.stop();
  }

  pauseRecording(line: number): Recording {
    return this.#runner(line).recorder.pause();
  }

  resumeRecording(line: number): Recording {
    return this.#runner(line).recorder.resume();
  }

  /** Whoever waits for digits or an announcement is answered: before the program ends. */
  endWaits(): void {
    for (const { announcer, gatherer } of this.#runners) {
      announcer.close();
      gatherer.close();
    }
  }

  /** Closes every file: before the program ends. */
  async closeRecordings(): Promise<void> {
    await Promise.all(this.#runners.map(({ recorder }) => recorder.close()));
  }

  diagnostics(line: number): LineDiagnostics {
    const { port, state } = this.#runner(line);
    return lineDiagnostics(port, state.fault, this.#engine.engineStats());
  }

  #runner(line: number): LineRunner {
    const runner = this.#byLine.get(line);
    if (!runner) throw new Refusal("unknown_line", `There is no line ${line}: GET /lines lists them.`);
    return runner;
  }
}
