/** Every key of the configuration: what it is, what it may be, and what it is when nobody says otherwise. */
import { CALLER_ID_CHOICES } from "../audio/caller_id/scheme";
import { DEFAULT_TONE_ZONE, TONE_ZONES, toneZone } from "../audio/tone_zones";
import type { LogComponent, LogLevel } from "../observe/log";
import { LOG_COMPONENTS, LOG_LEVELS } from "../observe/log";
import type { Token } from "../security/token";
import { fixed, flag, isPath, type Leaf, notYet, number, oneOf, path, text, whole } from "./leaf";
import { apiTokens, hostnames, origins, perAddress, type RateLimit, rateLimit } from "./security";
import { HOTLINE, type HotlineConfig, STREAM, type StreamConfig } from "./streams";
import { WEBHOOKS, type WebhookConfig } from "./webhooks";

export const MESSAGE_LAMPS = ["none", "line_reversal", "high_voltage_dc", "neon"] as const;
export type MessageLamp = (typeof MESSAGE_LAMPS)[number];

export interface Config {
  server: {
    host: string;
    rest_port: number;
    websocket_port: number;
    /** Names that clients may call us by, beside addresses and names of this network. */
    allowed_hosts: string[];
    tls: { certificate: string | null; key: string | null; self_signed: boolean };
  };
  dahdi: {
    /** The node that takes DAHDI_SPECIFY. */
    device: string;
    /** The node that dahdi_cfg needs: the doctor looks for it. */
    control: string;
    /** The line of the flat verbs. */
    channel: number;
    /** All lines; the default line alone when empty. */
    channels: number[];
    flash_max_ms: number;
    echo_cancel_taps: number;
    rx_gain_db: number;
    tx_gain_db: number;
    /** Driver buffers of 20 ms. */
    buffer_size: number;
    max_ring_seconds: number;
    /** Of a program that stands still: then the I/O thread stops all bells; 0: never. */
    watchdog_seconds: number;
    audio: { sample_rate: number; channels: number; bit_depth: number };
  };
  /** Whose tones are heard: ISO 3166, lower case. */
  tone_zone: string;
  dial_tone: { enabled: boolean; timeout_seconds: number };
  off_hook_timeout: { seconds: number; reorder_seconds: number; howler_seconds: number };
  /** What the telephone's display understands. */
  caller_id: { scheme: string };
  message_waiting: { lamp: MessageLamp };
  /** Tones of a far exchange and of fax machines, heard on a line. */
  call_progress: { enabled: boolean };
  /** explain: what was measured of each key, and why others were refused. */
  dtmf: { explain: boolean };
  simulator: { companding: "none" | "mulaw" | "alaw"; echo_return_loss_db: number; noise_dbm0: number };
  /** The last minutes, for who looks for a fault. audio: with what the lines heard. */
  flight_recorder: { enabled: boolean; minutes: number; audio: boolean };
  logging: {
    level: LogLevel;
    format: "auto" | "text" | "json";
    output: string;
    max_size_mb: number;
    keep: number;
    levels: Partial<Record<LogComponent, LogLevel>>;
  };
  api: {
    max_body_bytes: number;
    /** Seconds without a byte, then a request is given up. */
    timeout: number;
    /** WebSocket clients at once. */
    max_connections: number;
    /** WebSockets and event streams of one client address. */
    max_connections_per_address: number | "auto";
    /** Requests of one client address, and of one token. */
    rate_limit: RateLimit;
  };
  websocket: { ping_interval: number; ping_timeout: number; max_message_size: number };
  /** Event log, recordings, prompts; null: see state_dir.ts. */
  state_dir: string | null;
  events: { log_size: number; max_age_days: number; max_bytes: number };
  recording: {
    max_duration_seconds: number;
    /** Kept free on the file system of state_dir. */
    min_free_mb: number;
    /** Of all recordings together; 0: no bound but the disk. */
    max_total_mb: number;
  };
  prompts: {
    max_duration_seconds: number;
    min_free_mb: number;
    /** Of all prompts together; 0: no bound but the disk. */
    max_total_mb: number;
  };
  /** Sounds that are fetched. */
  sounds: {
    max_bytes: number;
    /** Until a server answers, and then without a byte. */
    timeout_seconds: number;
    allow_private_addresses: boolean;
  };
  speech: {
    engine: "auto" | "espeak-ng" | "piper";
    /** Of espeak-ng where none is asked for; null: English. */
    voice: string | null;
    /** Programs; null: found in PATH. */
    espeak_ng: string | null;
    piper: string | null;
    /** A voice's file; null: piper is not used. */
    piper_model: string | null;
    timeout_seconds: number;
  };
  webhooks: WebhookConfig[];
  /** Voice bots that telephones are connected to. */
  stream: StreamConfig;
  hotline: HotlineConfig[];
  security: {
    allow_unauthenticated: boolean;
    /** As hashes. */
    api_tokens: Token[];
    /** Web pages of other servers that may use us. */
    allowed_origins: string[];
  };
}

const device: Leaf = {
  value: "/dev/dahdi/channel",
  check: (given) => {
    if (isPath(given)) return { ok: given };
    return { wrong: "must be the path of a device, such as /dev/dahdi/channel" };
  },
};
const zone: Leaf = {
  value: DEFAULT_TONE_ZONE,
  check: (given) => {
    const known = typeof given === "string" ? toneZone(given) : null;
    return known === null ? { wrong: `must be one of ${TONE_ZONES.join(", ")}` } : { ok: known };
  },
};
const MAX_CHANNEL = 1023; /* DAHDI_MAX_CHANNELS − 1 */
const channels: Leaf = {
  value: [],
  check: (given) => {
    const fine =
      Array.isArray(given) &&
      given.length <= 32 &&
      new Set(given).size === given.length &&
      given.every((channel) => Number.isInteger(channel) && channel >= 1 && channel <= MAX_CHANNEL);
    return fine
      ? { ok: given }
      : { wrong: `must be a list of up to 32 different channels from 1 to ${MAX_CHANNEL}` };
  },
};

const voice: Leaf = {
  value: null,
  check: (given) =>
    given === null || (typeof given === "string" && /^[A-Za-z0-9][\w+-]{0,63}$/.test(given))
      ? { ok: given }
      : { wrong: "must be a voice of espeak-ng, such as en-us or de+f3" },
};

const logOutput: Leaf = {
  value: "stderr",
  check: (given) =>
    given === "stderr" || given === "stdout" || isPath(given)
      ? { ok: given }
      : { wrong: "must be stderr, stdout, or a file's path that begins with /" },
};

const MIB = 1024 * 1024;

/** Every key there is. Units are in the names or in docs/config.example.yml. */
export const SCHEMA = {
  server: {
    host: text("127.0.0.1"),
    rest_port: whole(8000, 0, 65_535),
    websocket_port: whole(8001, 0, 65_535),
    allowed_hosts: hostnames,
    tls: { certificate: path(), key: path(), self_signed: flag(false) },
  },
  dahdi: {
    device,
    control: { ...device, value: "/dev/dahdi/ctl" },
    channel: whole(1, 1, MAX_CHANNEL),
    channels,
    flash_max_ms: whole(800, 201, 1500),
    echo_cancel_taps: whole(128, 0, 1024),
    rx_gain_db: number(0, -24, 24),
    tx_gain_db: number(0, -24, 24),
    buffer_size: whole(32, 8, 32),
    max_ring_seconds: whole(120, 1, 3600),
    watchdog_seconds: whole(10, 0, 600),
    audio: {
      sample_rate: fixed(8000, "a telephone line carries no more"),
      channels: fixed(1, "a telephone line has one"),
      bit_depth: fixed(16, "DAHDI's linear mode has no other"),
    },
  },
  tone_zone: zone,
  dial_tone: { enabled: flag(false), timeout_seconds: whole(20, 1, 3600) },
  off_hook_timeout: {
    seconds: whole(0, 0, 86_400),
    reorder_seconds: whole(30, 0, 3600),
    howler_seconds: whole(60, 0, 3600),
  },
  caller_id: { scheme: oneOf("auto", ...CALLER_ID_CHOICES) },
  message_waiting: { lamp: oneOf("none", ...MESSAGE_LAMPS) },
  call_progress: { enabled: flag(true) },
  dtmf: { explain: flag(false) },
  simulator: {
    companding: oneOf("mulaw", "none", "mulaw", "alaw"),
    echo_return_loss_db: number(24, 0, 90),
    noise_dbm0: number(-65, -120, 0),
  },
  flight_recorder: { enabled: flag(true), minutes: whole(5, 1, 30), audio: flag(false) },
  logging: {
    level: oneOf("info", ...LOG_LEVELS),
    format: oneOf("auto", "auto", "text", "json"),
    output: logOutput,
    max_size_mb: whole(10, 0, 10_000),
    keep: whole(5, 0, 100),
    levels: Object.fromEntries(
      LOG_COMPONENTS.map((name) => [name, { ...oneOf("", ...LOG_LEVELS), value: undefined }]),
    ),
  },
  api: {
    max_body_bytes: whole(64 * 1024 * 1024, 1024, 1024 * 1024 * 1024),
    timeout: whole(30, 1, 255),
    max_connections: whole(2000, 1, 100_000),
    max_connections_per_address: perAddress,
    rate_limit: rateLimit,
  },
  websocket: {
    ping_interval: whole(30, 1, 900),
    ping_timeout: whole(60, 2, 960),
    max_message_size: whole(64 * 1024, 128, 16 * 1024 * 1024),
  },
  state_dir: path(),
  events: {
    log_size: whole(10_000, 100, 1_000_000),
    max_age_days: whole(30, 1, 3650),
    max_bytes: whole(64 * MIB, MIB, 16 * 1024 * MIB),
  },
  recording: {
    max_duration_seconds: whole(3600, 1, 86_400),
    min_free_mb: whole(100, 0, 1_000_000),
    max_total_mb: whole(0, 0, 1_000_000_000),
  },
  prompts: {
    max_duration_seconds: whole(600, 1, 86_400),
    min_free_mb: whole(100, 0, 1_000_000),
    max_total_mb: whole(1024, 0, 1_000_000_000),
  },
  sounds: {
    max_bytes: whole(64 * MIB, 1024, 1024 * MIB),
    timeout_seconds: whole(10, 1, 255),
    allow_private_addresses: flag(false),
  },
  speech: {
    engine: oneOf("auto", "auto", "espeak-ng", "piper"),
    voice,
    espeak_ng: path(),
    piper: path(),
    piper_model: path(),
    timeout_seconds: whole(60, 1, 600),
  },
  webhooks: WEBHOOKS,
  stream: STREAM,
  hotline: HOTLINE,
  security: { allow_unauthenticated: flag(false), api_tokens: apiTokens, allowed_origins: origins },
  mqtt: notYet,
} as const;
