/**
 * One line at work: feeds the pure machine with what the driver tells and clients ask, keeps its state, and
 * carries out its effects on the port, the playout and the event bus, in their order.
 */
import { constants } from "node:os";
import type { CallerIdSchemeName } from "../audio/caller_id/scheme";
import { FIRST_TALKER, TALKERS } from "../driver/abi.gen";
import type { DriverEvent } from "../driver/decode";
import { DriverError } from "../driver/engine";
import { errnoName } from "../driver/faults";
import type { Port } from "../driver/port";
import { planRing } from "../line/cadence";
import type { LineEventBody } from "../line/events";
import { playDecision, step } from "../line/machine";
import {
  type Attachment,
  initialState,
  type LineEffect,
  type LineInput,
  type LineSettings,
  type LineState,
  type LineTone,
  notReady,
  offHook,
  stateName,
} from "../line/model";
import type { KeyDetail, RingStopReason } from "../line/state";
import { voltageStatus } from "../line/voltage";
import { Announcer } from "./announcer";
import type { Clock } from "./clock";
import { Display, type DisplayOptions, messageCount } from "./display";
import { lineInput } from "./driver_input";
import type { Gather, GatherVerb } from "./gather";
import { Gatherer } from "./gatherer";
import { LineTap } from "./line_tap";
import { LiveAudio } from "./live_audio";
import { Playout } from "./playout";
import { Recorder, type RecorderDependencies } from "./recorder";
import {
  type CallerIdRequest,
  type LineStatus,
  type MessageWaitingAnswer,
  type MessageWaitingRequest,
  type PcmSource,
  type Playback,
  type PlayOptions,
  type RecordAnswer,
  type RecordRequest,
  Refusal,
  type RingAnswer,
  type RingRequest,
  type VoltageReading,
  type WaitingCallAnswer,
} from "./verbs";

export type Publish = (line: number, atMs: number, nativeNs: number, body: LineEventBody) => void;

export interface LineRunnerOptions {
  line: number;
  port: Port;
  clock: Clock;
  publish: Publish;
  newPlaybackId: () => string;
  newGatherId: () => string;
  newAnnounceId: () => string;
  /** As they are now: the configuration may change. */
  rules: () => LineRules;
  /** Endless. */
  lineTone: (tone: LineTone) => PcmSource;
  callWaitingTone: DisplayOptions["callWaitingTone"];
  recording: Pick<RecorderDependencies, "store" | "newRecordingId" | "beep">;
}

/** What the configuration says of a line, and may say otherwise while it is served. */
export interface LineRules {
  maxRingMs: number;
  maxRecordingMs: number;
  settings: LineSettings;
  /** null: no display is told anything. */
  callerIdScheme: CallerIdSchemeName | null;
}

export class LineRunner {
  readonly line: number;
  readonly port: Port;
  readonly playout: Playout;
  readonly tap: LineTap;
  readonly recorder: Recorder;
  readonly liveAudio: LiveAudio;
  readonly gatherer: Gatherer;
  readonly announcer: Announcer;
  readonly #options: LineRunnerOptions;
  #state: LineState;
  #volts: number | null = null;
  /** Of the key that is down, where it was asked for. */
  #keyDetail: KeyDetail | null = null;
  readonly #ringIdsBySequence = new Map<number, number>();
  /** The engine's stamp of what is being handled, for the events that come of it. */
  #nativeNs = 0;
  #cancelWake: () => void = () => undefined;
  readonly #display: Display;

  constructor(options: LineRunnerOptions) {
    this.#display = new Display(options.port, () => options.clock.nowMs(), {
      scheme: () => options.rules().callerIdScheme,
      callWaitingTone: options.callWaitingTone,
    });
    this.#options = options;
    this.line = options.line;
    this.port = options.port;
    this.#state = initialState(options.clock.nowMs(), options.rules().settings);
    const tell = (input: LineInput, atNs: number): void =>
      void this.#input({ ...input, atMs: options.clock.wallMs(atNs) }, atNs);
    this.playout = new Playout(options.line, options.port, options.newPlaybackId, (input, atNs) => {
      tell(input, atNs);
      if (input.type === "playback_ended") this.recorder.playbackEnded(input.playbackId, input.reason, atNs);
    });
    this.tap = new LineTap(options.port);
    this.recorder = new Recorder({
      ...options.recording,
      maxDurationMs: () => options.rules().maxRecordingMs,
      line: options.line,
      tap: this.tap,
      nowNs: () => options.port.nowNs(),
      nowMs: () => options.clock.nowMs(),
      talking: () => this.#state.talkspurtStartedAtMs !== null,
      play: (source) => this.play(source, { when: "now" }),
      tell,
    });
    this.liveAudio = new LiveAudio({
      tap: this.tap,
      lanes: Array.from({ length: TALKERS }, (_, i) => options.port.lane(FIRST_TALKER + i)),
      decide: (when) => playDecision(this.#state, when),
      attach: () => this.attach("audio"),
      detach: () => this.detach("audio"),
    });
    const stopPlayback = (playbackId: string): void => {
      this.playout.stop(playbackId).catch(() => undefined); // it was over just now
    };
    const speaking = {
      nowNs: () => options.port.nowNs(),
      after: options.clock.after,
      play: (source: PcmSource, how: PlayOptions) => this.play(source, how),
      stopPlayback,
      tell,
    };
    this.gatherer = new Gatherer({
      ...speaking,
      newGatherId: options.newGatherId,
      stopUnheard: (playbackId) => {
        if (this.playout.find(playbackId)?.state !== "playing") stopPlayback(playbackId);
      },
    });
    this.announcer = new Announcer({
      ...speaking,
      newAnnounceId: options.newAnnounceId,
      lifted: () => offHook(this.#state),
      ring: (request) => ({ ringId: this.#state.nextRingId, begun: this.ring(request) }),
      stopRing: (ringId) => {
        const { ring, pendingRings } = this.#state;
        if ((pendingRings.at(-1) ?? ring)?.id === ringId) void this.stopRing();
      },
      gather: (verb) => this.gather(verb),
      refuseSecondGather: () => this.gatherer.refuseSecond(),
    });
  }

  get state(): LineState {
    return this.#state;
  }

  /** The rules are others now. What rings, plays or is recorded goes on by those under which it began. */
  rulesChanged(): void {
    const { clock, rules } = this.#options;
    this.#input({ type: "settings_changed", atMs: clock.nowMs(), settings: rules().settings }, 0);
  }

  handle(event: DriverEvent): void {
    const atMs = this.#options.clock.wallMs(event.atNs);
    if (event.kind === "voltage") this.#volts = event.volts;
    if (event.kind === "line_down") this.#volts = null;
    if (this.#display.takes(event)) return;
    this.recorder.handle(event);
    this.liveAudio.handle(event);
    if (event.kind === "dtmf_detail") this.#keyDetail = event.detail;
    const input = lineInput(event, atMs, this.port);
    if (input) {
      this.#input(input.type === "digit" ? { ...input, detail: this.#takeKeyDetail() } : input, event.toldNs);
      if (offHook(this.#state)) {
        this.recorder.lifted();
        this.liveAudio.lifted();
        this.gatherer.lifted();
      }
      this.gatherer.handle(event);
      this.announcer.handle(event);
      return;
    }
    switch (event.kind) {
      case "ring_done":
        this.#ringDone(event.sequence, event.reason, atMs, event.toldNs);
        break;
      case "command_done":
        this.#ringCommandDone(event.sequence, event.result, atMs, event.toldNs);
        break;
      case "play_started":
        this.playout.started(event.lane, event.mark, event.atNs);
        break;
      case "play_done":
        if (event.lane >= FIRST_TALKER) this.liveAudio.markHeard(event.lane - FIRST_TALKER, event.mark);
        else this.playout.done(event.lane, event.mark, event.end, event.heardSamples, event.atNs);
        break;
      case "play_low":
        this.playout.pour(event.lane);
        break;
      default: // a key going down and the bell's single bursts are told by their ends
        break;
    }
  }

  #takeKeyDetail(): KeyDetail | null {
    const detail = this.#keyDetail;
    this.#keyDetail = null;
    return detail;
  }

  #ringDone(sequence: number, reason: RingStopReason, atMs: number, toldNs: number): void {
    const ringId = this.#ringIdsBySequence.get(sequence);
    this.#ringIdsBySequence.delete(sequence);
    if (ringId !== undefined) this.#input({ type: "ring_ended", atMs, ringId, reason }, toldNs);
  }

  /** In the order of the driver's events, so that a ring_stop can never overtake its ring_start. */
  #ringCommandDone(sequence: number, result: number, atMs: number, toldNs: number): void {
    const ringId = this.#ringIdsBySequence.get(sequence);
    if (ringId === undefined) return;
    if (result >= 0) {
      this.#input({ type: "ring_accepted", atMs, ringId }, toldNs);
      return;
    }
    this.#ringIdsBySequence.delete(sequence);
    this.#input({ type: "ring_refused", atMs, ringId }, toldNs);
  }

  #input(input: LineInput, nativeNs: number): { ringing: Promise<void> | null } {
    const { state, effects } = step(this.#state, input);
    this.#state = state;
    this.#nativeNs = nativeNs;
    let ringing: Promise<void> | null = null;
    for (const effect of effects) ringing = this.#carryOut(effect) ?? ringing;
    return { ringing };
  }

  #carryOut(effect: LineEffect): Promise<void> | undefined {
    switch (effect.kind) {
      case "emit":
        this.#options.publish(this.line, effect.atMs, this.#nativeNs, effect.body);
        return;
      case "ring": {
        const { ringId, plan } = effect;
        const ringing = this.port.ring(plan, (sequence) => this.#ringIdsBySequence.set(sequence, ringId));
        return ringing.catch((error: unknown) => {
          // Refused before it had a number: the machine still waits for word of it.
          this.#input({ type: "ring_refused", atMs: this.#options.clock.nowMs(), ringId }, 0);
          throw error;
        });
      }
      case "stop_ring":
        this.port.stopRing().catch(() => undefined); // a line that is gone rings no more
        return;
      case "start_playout":
        this.playout.start();
        return;
      case "end_playout":
        this.playout.end(effect.reason);
        return;
      case "cancel_awaiting_answer":
        this.playout.cancelAwaitingAnswer();
        this.recorder.cancelAwaitingAnswer();
        this.liveAudio.cancelAwaitingAnswer();
        this.gatherer.unanswered(effect.lineLost);
        this.announcer.unanswered(effect.lineLost);
        return;
      case "start_tone":
        this.playout.startTone(this.#options.lineTone(effect.tone));
        return;
      case "stop_tone":
        this.playout.stopTone();
        return;
      case "tell_lamp":
        void this.#tellLamp(effect.messages);
        return;
      case "wake":
        this.#wake(effect.atMs);
        return;
      case "refuse":
        throw new Refusal(effect.code, effect.message);
    }
  }

  #wake(atMs: number | null): void {
    this.#cancelWake();
    if (atMs === null) return;
    const { clock } = this.#options;
    // The wall clock may have been set back meanwhile: what was waited for is over all the same.
    this.#cancelWake = clock.after(Math.max(0, atMs - clock.nowMs()), () =>
      this.#input({ type: "time", atMs: Math.max(atMs, clock.nowMs()) }, 0),
    );
  }

  async ring(request: RingRequest): Promise<RingAnswer> {
    const planned = planRing(request, this.#options.rules().maxRingMs);
    if (!planned.ok) {
      const detail = planned.errors.map(({ field, message }) => `${field} ${message}`).join("; ");
      throw new Refusal("invalid_input", `${detail}.`, planned.errors);
    }
    const data = request.callerId ? this.#display.ringData(request.callerId, planned.plan) : null;
    const plan = data ? { ...planned.plan, data } : planned.plan;
    try {
      await this.#input({ type: "ring_requested", atMs: this.#options.clock.nowMs(), plan }, 0).ringing;
    } catch (error) {
      throw error instanceof DriverError ? this.#ringRefusal(error) : error;
    }
    const callerIdScheme = data ? this.#options.rules().callerIdScheme : null;
    return { pattern: plan.pattern, repeat: plan.repeat, durationMs: plan.durationMs, callerIdScheme };
  }

  #ringRefusal(error: DriverError): Refusal {
    const { EAGAIN, EBUSY, ECANCELED, ENODATA, ENODEV } = constants.errno;
    if (error.errno === ECANCELED) {
      return new Refusal("ring_stopped", "It was stopped, or another ring took its place, before the bell began.");
    }
    if (error.errno === EAGAIN) {
      return new Refusal("queue_full", "Too much is asked of this line at once: try again in a second.");
    }
    if (error.errno === EBUSY && this.#state.lifted) {
      return new Refusal(
        "line_off_hook",
        "The telephone was just lifted, its bell cannot ring: wait for on_hook.",
      );
    }
    if (error.errno === ENODATA) {
      return new Refusal(
        "driver_error",
        "The driver has no tone zone, so it cannot ring: run sudo dahdi_cfg -vv.",
      );
    }
    if (error.errno === ENODEV) {
      return new Refusal("line_not_ready", this.#state.fault?.fix ?? "The line was just lost: see GET /ready.");
    }
    return new Refusal(
      "driver_error",
      `The driver refused to ring (${errnoName(error.errno)}): see GET /diagnostics.`,
    );
  }

  async stopRing(): Promise<{ wasRinging: boolean }> {
    const wasRinging = this.#state.ring !== null || this.#state.pendingRings.length > 0;
    if (wasRinging) {
      // Settled by the driver after its ring_done, so that the answer follows the ring_stop event.
      await this.port.stopRing().catch(() => undefined);
    }
    return { wasRinging };
  }

  async callWaiting(callerId: CallerIdRequest | null): Promise<WaitingCallAnswer> {
    const announcement = this.#display.waitingCall(callerId);
    if (this.#state.service !== "up") throw new Refusal("line_not_ready", notReady(this.#state).message);
    if (!this.#state.lifted) {
      throw new Refusal("line_on_hook", "The telephone is on-hook, no call can wait: ring it instead.");
    }
    return announcement();
  }

  messageWaiting(request: MessageWaitingRequest): MessageWaitingAnswer {
    const count = messageCount(request);
    this.#input({ type: "messages_waiting", atMs: this.#options.clock.nowMs(), count }, 0);
    const stutter = count > 0 && this.#options.rules().settings.dialTone !== null;
    return { count, stutter, lamp: this.#display.lamp() };
  }

  async #tellLamp(messages: number): Promise<void> {
    const whole = await this.#display.tellLamp(messages);
    this.#input({ type: "lamp_told", atMs: this.#options.clock.nowMs(), whole }, 0);
  }

  play(source: PcmSource, options: PlayOptions): Playback {
    const decision = playDecision(this.#state, options.when);
    switch (decision) {
      case "now":
        this.#input({ type: "playback_requested", atMs: this.#options.clock.nowMs() }, 0);
        return this.playout.play(source, "nothing", options);
      case "await_answer":
        return this.playout.play(source, "answer", options);
      case "await_lift":
        return this.playout.play(source, "lift", options);
      default:
        throw new Refusal(decision.code, decision.message);
    }
  }

  gather(verb: GatherVerb): Gather {
    return this.gatherer.gather(verb, playDecision(this.#state, verb.when));
  }

  /** Somebody talks with whoever has lifted it, until detach: no tone of ours gets into it, and it is IN_CALL. */
  attach(what: Attachment): void {
    this.#input({ type: "attached", atMs: this.#options.clock.nowMs(), what }, 0);
  }

  detach(what: Attachment): void {
    this.#input({ type: "detached", atMs: this.#options.clock.nowMs(), what }, 0);
  }

  farEndLost(): void {
    this.#input({ type: "far_end_lost", atMs: this.#options.clock.nowMs() }, 0);
  }

  record(request: RecordRequest): Promise<RecordAnswer> {
    return this.recorder.record(request, () => playDecision(this.#state, request.when));
  }

  status(): LineStatus {
    const state = this.#state;
    return {
      line: this.line,
      channel: this.port.channel,
      state: stateName(state),
      lineVoltage: this.#volts,
      lastDtmf: state.digits[state.digits.length - 1] ?? null,
      dtmfHistory: state.digits,
      isVoiceActive: state.talkspurtStartedAtMs !== null,
      messageWaiting: state.messages.count > 0,
      callStats: state.stats,
      fault: state.fault,
      updatedAtMs: state.updatedAtMs,
    };
  }

  voltage(): VoltageReading {
    const stats = this.port.stats();
    if (stats.up === 0 || stats.voltage_known === 0) {
      return { voltage: null, status: "unsupported", measuredAtMs: null, minVoltage: null, maxVoltage: null };
    }
    const voltage = Math.abs(stats.tip_mv - stats.ring_mv) / 1000;
    return {
      voltage,
      status: voltageStatus(voltage, this.#state.lifted),
      measuredAtMs: this.#options.clock.wallMs(stats.voltage_time_ns),
      minVoltage: stats.voltage_min_mv / 1000,
      maxVoltage: stats.voltage_max_mv / 1000,
    };
  }
}
