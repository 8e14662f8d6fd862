/** One definition of an operation: its route, its twin below /lines/{line}, its documentation. */
import type { TSchema } from "@sinclair/typebox";
import type { EventLog } from "../events/event_log";
import type { JournalStatus } from "../events/journal";
import type { Webhook } from "../events/webhooks/webhook";
import type { Exchange } from "../exchange/verbs";
import type { FlightRecorder } from "../flight/flight_recorder";
import type { Logs } from "../observe/log";
import type { FlacFiles } from "../recordings/flac_file";
import type { RecordingStore } from "../recordings/store";
import type { Scope, Token } from "../security/token";
import type { TokenRegistry } from "../security/token_registry";
import type { Prompts } from "../sounds/prompts";
import type { SoundSources } from "../sounds/sound_sources";
import type { Speech } from "../sounds/speech";
import type { StreamBook } from "../streams/stream_book";
import type { Documents } from "./docs/documents";
import type { Guard } from "./guard";
import type { Metrics } from "./metrics/metrics";
import type { EventStreams } from "./sse/event_streams";

/** All that http knows of the rest of the program. */
export interface HttpDependencies {
  exchange: Exchange;
  events: EventLog;
  eventLogStatus(): JournalStatus;
  streams: EventStreams;
  bots: Pick<StreamBook, "open" | "stop" | "get" | "all">;
  webhooks: readonly Pick<Webhook, "status" | "resume">[];
  recordings: RecordingStore;
  guard: Guard;
  tokens: TokenRegistry;
  /** The ports speak TLS. */
  tls: { certificatePem: string; keyPem: string } | null;
  flacFiles: FlacFiles;
  sounds: SoundSources;
  prompts: Prompts;
  speech: Speech;
  metrics: Metrics;
  /** null: it is switched off. */
  flight: Pick<FlightRecorder, "dump" | "keepsSound"> | null;
  /** How many messages wait, on the disk. */
  messageCounts: { saved(): Promise<void> };
  /** The newest lines of the log, JSON. */
  recentLog(): readonly string[];
  /** Of the machine, for a bug report. */
  machine(): Promise<{ about: Record<string, unknown>; doctor: string; files: Record<string, string> }>;
  logs: Logs;
  version: string;
  documents(): Promise<Documents>;
  config: {
    /** As it acts, secrets masked. */
    shown(): Record<string, unknown>;
    patch(patch: Record<string, unknown>): Promise<ConfigPatchResult>;
  };
  limits: {
    maxBodyBytes: number;
    timeoutS: number;
    maxWebsocketClients: number;
    maxMessageBytes: number;
    pingTimeoutS: number;
  };
}

/** See config/editor.ts. */
export type ConfigPatchResult =
  | { done: { changed: string[]; applied: string[]; restart_required: string[]; overridden: string[] } }
  | { wrong: readonly { key: string; message: string }[] }
  | { refused: { code: "no_config_file" | "config_not_writable" | "config_broken"; message: string } };

export interface Call {
  request: Request;
  /** In the answer's x-request-id, and with whatever is logged of the request. */
  requestId: string;
  query: Record<string, string | undefined>;
  /** The line that is meant: of the path, or the default one. */
  line: number;
  /** What stands in the path, by the name that it has there. */
  params: Record<string, string>;
  dependencies: HttpDependencies;
  /** The lines that the client may use. */
  lines: readonly number[];
  /** Who asks. */
  asker(): { address: string; token: Token | null };
  /** The request may be silent for longer than api.timeout: whoever calls this looks after that. */
  keepOpen(): void;
}

export interface Endpoint {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below / or /lines/{line}, or /simulator/lines/{line}. */
  path: string;
  /** line: stands twice, flat and below /lines/{line}. */
  scope: "server" | "line" | "telephone";
  /** The scope that a token needs; omitted: read for GET, else control. open: nobody needs one. */
  access?: "open" | Scope;
  /** Of scope server: it shows a token of certain lines no more than these. Without it such a token may not ask. */
  ownLines?: boolean;
  tag:
    | "Telephone"
    | "Sound"
    | "Prompts"
    | "Recordings"
    | "Voice bots"
    | "Bridges"
    | "Lines"
    | "Events"
    | "Tokens"
    | "Server"
    | "Simulator";
  summary: string;
  description?: string;
  query?: TSchema;
  /** "sound": a file, or raw samples. */
  body?: TSchema | "sound";
  /** Where a sound may be named instead of sent: that JSON. */
  named?: TSchema;
  /** Of a sound that comes in a form: what its file is called, and what a field beside it holds. Omitted: file, none. */
  form?: { file: string; options: TSchema };
  /** A body that works when "Execute" is pressed. */
  example?: unknown;
  /** A schema for JSON, or the media type of something else. */
  answer: TSchema | { mediaType: string };
  /** Of the answer that works; omitted: 200. */
  success?: 204;
  /** JSON that is no problem, with a status of its own. */
  otherAnswers?: Readonly<Record<number, { description: string; schema: TSchema }>>;
  /** Codes of RFC 9457 problems that it may answer, beside 500. */
  problems: readonly number[];
  handle(call: Call): unknown;
}

/** What a token must have, as the guard asks for it and the OpenAPI text says. */
export const neededScope = ({ access, method }: Pick<Endpoint, "access" | "method">): "open" | Scope =>
  access ?? (method === "GET" ? "read" : "control");

/** Of one line: the one in the path, or the default one. */
export const isOfLine = ({ scope, path }: Pick<Endpoint, "scope" | "path">): boolean =>
  scope !== "server" || path.includes(":line");
