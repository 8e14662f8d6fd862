/**
 * What a flight recording holds, in memory and line by line in its file:
 *
 *   {"flight_recording": 1, …}                          header: what is needed to do it again
 *   {"ns": …, "driver": {kind: "off_hook", …}}          what the I/O thread told
 *   {"ns": …, "call": 7, "verb": "ring", "arguments": …}  what we were asked for
 *   {"ns": …, "refused": "line_off_hook", "call": 7}
 *   {"ns": …, "id": "…"}                                an id that was given: a playback's, a recording's
 *   {"ns": …, "event": {type: "ring_start", …}, "line": 1}  what was published; ns: when it happened
 *   {"ns": …, "sound": {"heard": base64, "sent": base64 or null}, "line": 1}  20 ms, mu-law; sent null: silence
 *   {"end": …}                                          how many lines were before it: the file is whole
 *
 * Times are nanoseconds of the engine's clock.
 */
import type { CallerIdSchemeName } from "../audio/caller_id/scheme";
import type { DriverEvent } from "../driver/decode";
import type { LineEventBody } from "../line/events";
import type { LineSettings } from "../line/model";

export const FORMAT = 1;

export type Entry =
  | { driver: DriverEvent }
  | { call: number; verb: string; arguments: readonly unknown[] }
  | { call: number; refused: string }
  | { id: string }
  | { event: LineEventBody; line: number };

/** How a line was when the recording begins. */
export interface OpeningLine {
  line: number;
  device: string | null;
  in_service: boolean;
  lifted: boolean;
  /** null: its card cannot tell, or has not told yet. */
  volts: number | null;
}

/** All of the configuration that decides what a line does. */
export interface RecordedSettings {
  defaultLine: number;
  maxRingMs: number;
  maxRecordingMs: number;
  toneZone: string;
  lineSettings: LineSettings;
  callerIdScheme: CallerIdSchemeName | null;
  callProgress: boolean;
  flashMaxMs: number;
  dtmfExplain: boolean;
}

export interface Header {
  flight_recording: number;
  version: string;
  /** Why it was written. */
  reason: string;
  /** UTC. */
  dumped_at: string;
  from_ns: number;
  to_ns: number;
  /** Unix ms of engine time 0, when it was written. */
  epoch_ms: number;
  /** Are digits and callers shown as x? */
  masked: boolean;
  sound: boolean;
  /** Left early, because there was no room: from_ns is later by them. */
  crowded_out: number;
  lines: OpeningLine[];
  settings: RecordedSettings;
}

export interface SoundEntry {
  atNs: number;
  line: number;
  /** Mu-law. */
  heard: Uint8Array;
  sent: Uint8Array | null;
}

export interface FlightRecording {
  header: Header;
  entries: { atNs: number; entry: Entry }[];
  sound: SoundEntry[];
}
