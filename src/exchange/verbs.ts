import type { RecordingSource } from "../audio/recording_take";
import type { PcmSource } from "../audio/source";
import type { CapabilityNames } from "../driver/port";
import type { AnnouncementResult } from "../line/announcement";
import type { GatherResult } from "../line/gather";
import type { CallStats, KeyDetail, KeyRefusalReason, LineFault, LineStateName } from "../line/state";
import type { Recording } from "../recordings/recording";
import type { Announcement, AnnounceVerb } from "./announcement";
import type { MemberState } from "./bridge_members";
import type { Gather, GatherVerb } from "./gather";
import type { AudioRequest, AudioSession } from "./live_audio";
import type { Playback, Playbacks, PlayOptions } from "./playback";

export type { Playback, Playbacks, PlayOptions } from "./playback";
export type { PcmSource };

/** A verb that was refused or failed. `code` is stable; http/problem.ts turns it into RFC 9457. */
export class Refusal extends Error {
  constructor(
    readonly code: RefusalCode,
    /** One sentence that says what to do. */
    message: string,
    /** 422 only: the fields at fault, as JSON pointers without the slash ("custom_pattern.on_times"). */
    readonly fields: readonly { field: string; message: string }[] = [],
  ) {
    super(message);
    this.name = "Refusal";
  }
}

export type RefusalCode =
  | "unknown_line" // 404
  | "line_off_hook" // 409 ring while lifted
  | "line_on_hook" // 409 play while idle, press while on-hook
  | "ring_stopped" // 409 stopped or replaced before it began
  | "unknown_bridge" // 404
  | "line_bridged" // 409 it is on a bridge already
  | "not_on_bridge" // 409
  | "bridge_full" // 409
  | "call_waiting_busy" // 409 one is announced already
  | "stream_active" // 409 a voice bot is connected already, or is to be
  | "no_stream" // 409 none is
  | "unknown_playback" // 404
  | "playback_finished" // 409 it is over already
  | "not_playing" // 409 it waits
  | "not_paused" // 409
  | "not_seekable" // 409 a stream that is not kept in memory
  | "gather_active" // 409 digits are collected on the line already
  | "not_gathering" // 409 none are
  | "announcement_active" // 409 one runs on the line already
  | "not_announcing" // 409 none does
  | "recording_active" // 409 one runs on the line already
  | "not_recording" // 409 none does
  | "talker_active" // 409 somebody talks live already
  | "already_in_that_position" // 409 simulator: lift while lifted, plug while plugged …
  | "line_not_ready" // 503 INITIALIZING or ERROR, with the fix
  | "driver_error" // 503 the kernel refused
  | "queue_full" // 429 too many playbacks wait
  | "not_simulated" // 404 simulator verbs on a real card
  | "invalid_input"; // 422

export interface RingRequest {
  /** Any case; omitted NORMAL, or CUSTOM when customPattern is given. */
  pattern?: string;
  /** Wall-clock cap, ms. */
  durationMs?: number;
  /** Times the whole pattern; 0 for ever; omitted the pattern's default, or for ever when durationMs is given. */
  repeat?: number;
  customPattern?: { onTimesMs: readonly number[]; offTimesMs: readonly number[] };
  callerId?: CallerIdRequest;
}

export interface CallerIdRequest {
  name?: string;
  number?: string;
  /** Why there is no number or name. */
  absent?: "private" | "out_of_area";
  /** The display's clock, YYYY-MM-DDTHH:MM; omitted: this machine's local time. */
  time?: string;
}

export interface WaitingCallAnswer {
  /** null: the telephone was not asked. */
  acknowledged: boolean | null;
  callerIdSent: boolean;
}

export interface MessageWaitingRequest {
  waiting: boolean;
  /** Omitted: 1. */
  count?: number;
}

export interface MessageWaitingAnswer {
  count: number;
  /** stutter: the next lift hears it in the dial tone. */
  stutter: boolean;
  /** How the telephone's lamp is told, if at all. */
  lamp: readonly ("fsk" | "card")[];
}

export interface RingAnswer {
  pattern: string;
  repeat: number;
  /** The cap in force, ms; null when the pattern ends by itself before max_ring_seconds. */
  durationMs: number | null;
  /** How the caller is told to the display; null: it is not. */
  callerIdScheme: string | null;
}

export type ToneRequest = {
  /** Up to four sines summed, Hz (0 < f < 4000); or a named tone. */
  frequenciesHz?: readonly number[];
  tone?: string;
  /** Whose named tone, ISO 3166; omitted: that of the configuration. */
  zone?: string;
  durationMs?: number;
};

export interface RecordRequest {
  /** Omitted: caller. */
  source?: RecordingSource;
  /** Omitted: as long as the configuration allows. */
  maxDurationMs?: number;
  /** The caller says and presses nothing for so long; omitted: no matter. */
  silenceTimeoutMs?: number;
  /** "any", or digits of which any ends it; omitted: none does. */
  finishOnKey?: string;
  /** Heard behind what is playing; the recording begins at its end. */
  beep?: boolean;
  /** Omitted: true. */
  trim?: boolean;
  /** As of playback. */
  when: "now" | "off_hook";
}

export interface RecordAnswer {
  recordingId: string;
}

export interface BridgeInfo {
  id: string;
  members: readonly { line: number; state: MemberState }[];
}

/** Lines that hear each other. A line is on one bridge at most; one that two have not left yet. */
export interface BridgeVerbs {
  list(): BridgeInfo[];
  get(id: string): BridgeInfo;
  /** Settles when those that are lifted hear each other, and the others' bells ring (ring; null: they are refused). */
  create(lines: readonly number[], ring: RingRequest | null): Promise<BridgeInfo>;
  add(id: string, line: number, ring: RingRequest | null): Promise<BridgeInfo>;
  remove(id: string, line: number): Promise<BridgeInfo>;
  hold(id: string, line: number, held: boolean): Promise<BridgeInfo>;
  delete(id: string): Promise<void>;
}

export interface LineStatus {
  line: number;
  channel: number;
  state: LineStateName;
  lineVoltage: number | null;
  lastDtmf: string | null;
  /** The newest digits, oldest first, at most 32. */
  dtmfHistory: readonly string[];
  isVoiceActive: boolean;
  messageWaiting: boolean;
  callStats: CallStats;
  fault: LineFault | null;
  /** Unix ms of the last change. */
  updatedAtMs: number;
}

export interface VoltageReading {
  /** Volts between tip and ring; null where the card cannot tell. */
  voltage: number | null;
  status: "normal" | "low" | "high" | "unsupported";
  measuredAtMs: number | null;
  /** The lowest and highest since the line came up. */
  minVoltage: number | null;
  maxVoltage: number | null;
}

/** Everything measured about one line; snake_case because it is shown as it is. */
export interface LineDiagnostics {
  hardware: {
    driver: "dahdi" | "simulated";
    device: string | null;
    channel: number;
    in_service: boolean;
    signalling: string | null;
    alarms: string[];
    fault: LineFault | null;
  };
  capabilities: CapabilityNames;
  voltage: { tip: number | null; ring: number | null; battery: number | null };
  /** Keys heard since the start, what resembled one and was refused, by reason, and what the last one was like. */
  dtmf: { accepted: number; refused: Record<KeyRefusalReason, number>; last: KeyDetail | null };
  signal: { level_dbm0: number | null; noise_dbm0: number | null; snr_db: number | null; voice_active: boolean };
  io: {
    rx_blocks: number;
    tx_blocks: number;
    playout_underruns: number;
    card_underruns: number;
    card_overruns: number;
    late_blocks: number;
    max_service_gap_ms: number;
    queued_playout_ms: number;
    /** Of what the line heard, for recordings: JavaScript stood still for ten seconds. */
    tap_lost_blocks: number;
    /** Of other lines on its bridge, left out or heard twice because two cards' clocks differ. */
    bridge_slips: number;
  };
  engine: {
    realtime: boolean;
    realtime_error: string | null;
    memory_locked: boolean;
    events_pushed: number;
    events_lost: number;
    /** Times that the program stood still for so long that the I/O thread stopped all bells. */
    watchdog_trips: number;
    wakeups: number;
    max_wake_late_ms: number;
  };
}

export interface SimulatedTelephone {
  line: number;
  hook: "on_hook" | "off_hook";
  bell: { ringing: boolean; bursts: number };
  voltage: number;
  plugged: boolean;
  /** Tip and ring are exchanged. */
  polarity_reversed: boolean;
  /** Lit by the card's voltage. */
  message_lamp: boolean;
}

/** A person with a hand on every simulated telephone. Each promise settles when the telephone has done it. */
export interface Handsets {
  lift(line: number): Promise<void>;
  hangUp(line: number): Promise<void>;
  flash(line: number, durationMs: number): Promise<void>;
  press(
    line: number,
    keys: { digits: string; onMs: number; offMs: number; levelDbm0: number; twistDb: number },
  ): Promise<void>;
  /** dial omitted: 10 pulses a second, 60 % break. */
  pulse(line: number, digits: string, dial?: { breakMs: number; makeMs: number }): Promise<void>;
  speak(line: number, source: PcmSource): Promise<void>;
  voltage(line: number, volts: number): Promise<void>;
  plug(line: number, plugged: boolean): Promise<void>;
  /** The newest `seconds` that the ear heard, 8 kHz S16. */
  ear(line: number, seconds: number): Int16Array;
  telephone(line: number): SimulatedTelephone;
}

/** All that http may call. Lines are numbered as the API shows them (1 …). Throws or rejects with Refusal. */
export interface Exchange {
  /** The line of the flat verbs. */
  readonly defaultLine: number;
  readonly lines: readonly number[];
  /** Present only when simulating. */
  readonly handsets: Handsets | null;
  readonly playbacks: Playbacks;
  readonly bridges: BridgeVerbs;
  status(line: number): LineStatus;
  voltage(line: number): VoltageReading;
  diagnostics(line: number): LineDiagnostics;
  ring(line: number, request: RingRequest): Promise<RingAnswer>;
  stopRing(line: number): Promise<{ wasRinging: boolean }>;
  play(line: number, source: PcmSource, options: PlayOptions): Playback;
  tone(line: number, request: ToneRequest, when?: PlayOptions["when"]): Playback;
  /** Tells a lifted telephone that another call waits, and from whom; settles when its display knows. */
  callWaiting(line: number, callerId: CallerIdRequest | null): Promise<WaitingCallAnswer>;
  /** Settles when it is accepted: there is room for it. Rejects with RecordingStoreError as well. */
  record(line: number, request: RecordRequest): Promise<RecordAnswer>;
  /** Settles when the file is closed. */
  stopRecording(line: number): Promise<Recording>;
  pauseRecording(line: number): Recording;
  resumeRecording(line: number): Recording;
  /** Whom a lifted telephone spoke with is gone: the reorder tone says so, where nothing else is heard. */
  farEndLost(line: number): void;
  messageWaiting(line: number, request: MessageWaitingRequest): MessageWaitingAnswer;
  /** Throws what openAudio would throw now. */
  admitAudio(line: number, request: Pick<AudioRequest, "talk" | "mixed" | "when">): void;
  openAudio(line: number, request: AudioRequest): AudioSession;
  /** Throws Refusal; the prompt is then the caller's to close. */
  gather(line: number, verb: GatherVerb): Gather;
  stopGather(line: number): Promise<GatherResult>;
  /** Settles when the bell rings, or nothing needs to. Where it rejects, the source is the caller's to close. */
  announce(line: number, verb: AnnounceVerb): Promise<Announcement>;
  stopAnnouncement(line: number): Promise<AnnouncementResult>;
}
