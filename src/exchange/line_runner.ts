/**
 * One line at work: feeds the machine with what the driver tells and clients ask, and carries out its effects on the
 * bell, the playout and whoever waits for the line, in their order.
 */
import { FIRST_TALKER, TALKERS } from "../driver/abi.gen";
import type { DriverEvent } from "../driver/decode";
import type { Port } from "../driver/port";
import type { LineEventBody } from "../line/events";
import { type Attachment, type LineInput, type LineState, type LineTone, notReady, offHook } from "../line/model";
import type { KeyDetail } from "../line/state";
import { Announcer } from "./announcer";
import { Bell, plannedRing, ringRefusal } from "./bell";
import type { Clock } from "./clock";
import { Display, type DisplayOptions, messageCount } from "./display";
import { lineInput } from "./driver_input";
import { Gatherer } from "./gatherer";
import { type Beginning, LineMachine, type OutwardEffect } from "./line_machine";
import type { LineRules } from "./line_rules";
import { lineStatus, voltageReading } from "./line_status";
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

const NS_PER_MS = 1e6;
/** What a playback waits for. */
const AWAITED = { now: "nothing", await_answer: "answer", await_lift: "lift" } as const;

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
  readonly #machine: LineMachine;
  readonly #bell: Bell;
  readonly #display: Display;
  #volts: number | null = null;
  /** Of the key that is down, where it was asked for. */
  #keyDetail: KeyDetail | null = null;
  #answering = false;

  constructor(options: LineRunnerOptions) {
    const { nowMs, engineMs } = options.clock;
    this.#options = options;
    this.line = options.line;
    this.port = options.port;
    this.#machine = new LineMachine({
      clock: options.clock,
      settings: options.rules().settings,
      emit: (atMs, nativeNs, body) => options.publish(options.line, atMs, nativeNs, body),
      carryOut: (effect) => this.#carryOut(effect),
    });
    this.#bell = new Bell(options.port, engineMs, (input, toldNs) => void this.#machine.step(input, toldNs));
    this.#display = new Display(options.port, nowMs, {
      scheme: () => options.rules().callerIdScheme,
      callWaitingTone: options.callWaitingTone,
    });
    const admit = (when: PlayOptions["when"]): Beginning => this.#machine.admit(when);
    const tell = (input: LineInput, atNs: number): void =>
      void this.#machine.step({ ...input, atMs: atNs / NS_PER_MS }, atNs);
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
      nowMs,
      admit,
      talking: () => this.state.talkspurtStartedAtMs !== null,
      play: (source) => this.play(source, { when: "now" }),
      tell,
    });
    this.liveAudio = new LiveAudio({
      tap: this.tap,
      lanes: Array.from({ length: TALKERS }, (_, i) => options.port.lane(FIRST_TALKER + i)),
      admit,
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
      admit,
      stopUnheard: (playbackId) => {
        if (this.playout.find(playbackId)?.state !== "playing") stopPlayback(playbackId);
      },
    });
    this.announcer = new Announcer({
      ...speaking,
      newAnnounceId: options.newAnnounceId,
      lifted: () => offHook(this.state),
      ring: (request) => ({ ringId: this.state.nextRingId, begun: this.ring(request) }),
      stopRing: (ringId) => {
        const { ring, pendingRings } = this.state;
        if ((pendingRings.at(-1) ?? ring)?.id === ringId) void this.stopRing();
      },
      gather: (verb) => this.gatherer.gather(verb),
      refuseSecondGather: () => this.gatherer.refuseSecond(),
    });
  }

  get state(): LineState {
    return this.#machine.state;
  }

  /** Its ring was answered and the lift is not told yet: word of a caller ID that was cut short comes between. */
  get answering(): boolean {
    return this.#answering;
  }

  /** The rules are others now. What rings, plays or is recorded goes on by those under which it began. */
  rulesChanged(): void {
    this.#machine.request({ type: "settings_changed", settings: this.#options.rules().settings });
  }

  handle(event: DriverEvent): void {
    const atMs = event.atNs / NS_PER_MS;
    if (event.kind === "voltage") this.#volts = event.volts;
    if (event.kind === "line_down") this.#volts = null;
    if (event.kind === "ring_done") this.#answering = event.reason === "answered";
    if (event.kind === "off_hook" || event.kind === "line_down") this.#answering = false;
    if (this.#display.takes(event)) return;
    this.recorder.handle(event);
    this.liveAudio.handle(event);
    if (event.kind === "dtmf_detail") this.#keyDetail = event.detail;
    const input = lineInput(event, atMs, this.port);
    if (input) {
      if (input.type === "digit") {
        this.#machine.step({ ...input, detail: this.#keyDetail }, event.toldNs);
        this.#keyDetail = null;
      } else this.#machine.step(input, event.toldNs);
      if (offHook(this.state)) {
        this.recorder.lifted();
        this.liveAudio.lifted();
        this.gatherer.lifted();
      }
      this.gatherer.handle(event);
      this.announcer.handle(event);
      return;
    }
    this.#bell.handle(event, atMs);
    this.playout.handle(event);
  }

  #carryOut(effect: OutwardEffect): Promise<void> | undefined {
    switch (effect.kind) {
      case "ring":
        return this.#bell.ring(effect.ringId, effect.plan);
      case "stop_ring":
        void this.#bell.stop();
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
    }
  }

  async ring(request: RingRequest): Promise<RingAnswer> {
    const plain = plannedRing(request, this.#options.rules().maxRingMs);
    const data = request.callerId ? this.#display.ringData(request.callerId, plain) : null;
    const plan = data ? { ...plain, data } : plain;
    try {
      await this.#machine.request({ type: "ring_requested", plan }).ringing;
    } catch (error) {
      throw ringRefusal(error, this.state);
    }
    const callerIdScheme = data ? this.#options.rules().callerIdScheme : null;
    return { pattern: plan.pattern, repeat: plan.repeat, durationMs: plan.durationMs, callerIdScheme };
  }

  async stopRing(): Promise<{ wasRinging: boolean }> {
    const wasRinging = this.state.ring !== null || this.state.pendingRings.length > 0;
    // It settles after the driver's ring_done, so that the answer follows the ring_stop event.
    if (wasRinging) await this.#bell.stop();
    return { wasRinging };
  }

  async callWaiting(callerId: CallerIdRequest | null): Promise<WaitingCallAnswer> {
    const announcement = this.#display.waitingCall(callerId);
    if (this.state.service !== "up") throw new Refusal("line_not_ready", notReady(this.state).message);
    if (!this.state.lifted) {
      throw new Refusal("line_on_hook", "The telephone is on-hook, no call can wait: ring it instead.");
    }
    return announcement();
  }

  messageWaiting(request: MessageWaitingRequest): MessageWaitingAnswer {
    const count = messageCount(request);
    this.#machine.request({ type: "messages_waiting", count });
    const stutter = count > 0 && this.#options.rules().settings.dialTone !== null;
    return { count, stutter, lamp: this.#display.lamp() };
  }

  async #tellLamp(messages: number): Promise<void> {
    const whole = await this.#display.tellLamp(messages);
    this.#machine.request({ type: "lamp_told", whole });
  }

  play(source: PcmSource, options: PlayOptions): Playback {
    const beginning = this.#machine.admit(options.when);
    if (beginning === "now") this.#machine.request({ type: "playback_requested" });
    return this.playout.play(source, AWAITED[beginning], options);
  }

  /** Somebody talks with whoever has lifted it, until detach: no tone of ours gets into it, and it is IN_CALL. */
  attach(what: Attachment): void {
    this.#machine.request({ type: "attached", what });
  }

  detach(what: Attachment): void {
    this.#machine.request({ type: "detached", what });
  }

  farEndLost(): void {
    this.#machine.request({ type: "far_end_lost" });
  }

  status(): LineStatus {
    return lineStatus(this.line, this.port.channel, this.state, this.#volts, this.#options.clock);
  }

  voltage(): VoltageReading {
    return voltageReading(this.port.stats(), this.state.lifted, this.#options.clock);
  }
}
