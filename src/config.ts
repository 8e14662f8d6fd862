/**
 * The configuration: a schema, a YAML file, the environment, the command line, in that order of weight. What is
 * wrong is said with file, line and key, and nothing starts on it.
 */
import { existsSync, readFileSync } from "node:fs";
import { CALLER_ID_CHOICES } from "./audio/caller_id/scheme";
import { DEFAULT_TONE_ZONE, TONE_ZONES, toneZone } from "./audio/tone_zones";
import type { LogComponent, LogLevel } from "./observe/log";
import { LOG_COMPONENTS, LOG_LEVELS } from "./observe/log";

export const DEFAULT_CONFIG_PATH = "/etc/dahdi_phone/config.yml";

export const MESSAGE_LAMPS = ["none", "line_reversal", "high_voltage_dc", "neon"] as const;
export type MessageLamp = (typeof MESSAGE_LAMPS)[number];

export interface Config {
  server: { host: string; rest_port: number; websocket_port: number };
  dahdi: {
    /** The node that takes DAHDI_SPECIFY. */
    device: string;
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
  simulator: { companding: "none" | "mulaw" | "alaw"; echo_return_loss_db: number; noise_dbm0: number };
  logging: {
    level: LogLevel;
    format: "auto" | "text" | "json";
    output: string;
    levels: Partial<Record<LogComponent, LogLevel>>;
  };
  api: {
    max_body_bytes: number;
    /** Seconds without a byte, then a request is given up. */
    timeout: number;
    /** WebSocket clients at once. */
    max_connections: number;
  };
  websocket: { ping_interval: number; ping_timeout: number; max_message_size: number };
  events: { log_size: number };
  security: { allow_unauthenticated: boolean; api_tokens: string[] };
}

/** One line: FILE:LINE: KEY: what is wrong. */
export class ConfigError extends Error {}

/** A leaf: what it may be, what it is when nobody says otherwise, and why. */
interface Leaf {
  value: unknown;
  /** Returns the value to keep, or a sentence on what is allowed. */
  check: (value: unknown) => { ok: unknown } | { wrong: string };
}

const whole = (value: number, low: number, high: number): Leaf => ({
  value,
  check: (given) =>
    Number.isInteger(given) && (given as number) >= low && (given as number) <= high
      ? { ok: given }
      : { wrong: `must be a whole number from ${low} to ${high}` },
});
const number = (value: number, low: number, high: number): Leaf => ({
  value,
  check: (given) =>
    typeof given === "number" && given >= low && given <= high
      ? { ok: given }
      : { wrong: `must be a number from ${low} to ${high}` },
});
const oneOf = (value: string, ...allowed: readonly string[]): Leaf => ({
  value,
  check: (given) =>
    typeof given === "string" && allowed.includes(given.toLowerCase())
      ? { ok: given.toLowerCase() }
      : { wrong: `must be one of ${allowed.join(", ")}` },
});
const text = (value: string): Leaf => ({
  value,
  check: (given) => (typeof given === "string" && given !== "" ? { ok: given } : { wrong: "must be a text" }),
});
const flag = (value: boolean): Leaf => ({
  value,
  check: (given) => (typeof given === "boolean" ? { ok: given } : { wrong: "must be true or false" }),
});
const fixed = (value: number, why: string): Leaf => ({
  value,
  check: (given) => (given === value ? { ok: given } : { wrong: `must be ${value}: ${why}` }),
});
const device: Leaf = {
  value: "/dev/dahdi/channel",
  check: (given) => {
    if (typeof given === "string" && given.startsWith("/")) return { ok: given };
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
const tokens: Leaf = {
  value: [],
  check: (given) => {
    if (Array.isArray(given) && given.length === 0) return { ok: given };
    return { wrong: "is not enforced in this version: remove it, and keep the server on 127.0.0.1" };
  },
};

/** Of the contract, and of a later version: taken silently it would be believed to work. */
const notYet: Leaf = {
  value: undefined,
  check: () => ({ wrong: "does nothing in this version, and so is not taken: remove it" }),
};

/** Every key there is. Units are in the names or in docs/config.example.yml. */
const SCHEMA = {
  server: { host: text("127.0.0.1"), rest_port: whole(8000, 0, 65_535), websocket_port: whole(8001, 0, 65_535) },
  dahdi: {
    device,
    channel: whole(1, 1, MAX_CHANNEL),
    channels,
    flash_max_ms: whole(800, 201, 1500),
    echo_cancel_taps: whole(128, 0, 1024),
    rx_gain_db: number(0, -24, 24),
    tx_gain_db: number(0, -24, 24),
    buffer_size: whole(32, 8, 32),
    max_ring_seconds: whole(120, 1, 3600),
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
  simulator: {
    companding: oneOf("mulaw", "none", "mulaw", "alaw"),
    echo_return_loss_db: number(24, 0, 90),
    noise_dbm0: number(-65, -120, 0),
  },
  logging: {
    level: oneOf("info", ...LOG_LEVELS),
    format: oneOf("auto", "auto", "text", "json"),
    output: text("stderr"),
    levels: Object.fromEntries(
      LOG_COMPONENTS.map((name) => [name, { ...oneOf("", ...LOG_LEVELS), value: undefined }]),
    ),
  },
  api: {
    max_body_bytes: whole(64 * 1024 * 1024, 1024, 1024 * 1024 * 1024),
    timeout: whole(30, 1, 255),
    max_connections: whole(2000, 1, 100_000),
    rate_limit: notYet,
  },
  websocket: {
    ping_interval: whole(30, 1, 900),
    ping_timeout: whole(60, 2, 960),
    max_message_size: whole(64 * 1024, 128, 16 * 1024 * 1024),
  },
  events: { log_size: whole(10_000, 100, 1_000_000) },
  security: { allow_unauthenticated: flag(false), api_tokens: tokens, allowed_origins: notYet },
  state_dir: notYet,
  mqtt: notYet,
} as const;

type Schema = { readonly [key: string]: Schema | Leaf };
const isLeaf = (node: Schema | Leaf | undefined): node is Leaf => typeof node?.check === "function";

/** What the command line overrides; null: not said. */
export interface ConfigOverrides {
  host: string | null;
  restPort: number | null;
  websocketPort: number | null;
}

export interface LoadedConfig {
  config: Config;
  /** The file it came from, null where none was there. */
  path: string | null;
}

/** configPath: asked for by name and so must exist; null: the default one, if it is there. */
export async function loadConfig(
  configPath: string | null,
  environment: Record<string, string | undefined>,
  overrides: ConfigOverrides,
): Promise<LoadedConfig> {
  const path = configPath ?? (existsSync(DEFAULT_CONFIG_PATH) ? DEFAULT_CONFIG_PATH : null);
  const values = defaults(SCHEMA) as unknown as Config;
  if (path !== null) await readFile(path, values);
  fromEnvironment(environment, values);
  values.server.host = overrides.host ?? values.server.host;
  values.server.rest_port = overrides.restPort ?? values.server.rest_port;
  values.server.websocket_port = overrides.websocketPort ?? values.server.websocket_port;
  settle(values, path);
  return { config: deepFreeze(values), path };
}

/** What is so where nobody says otherwise. */
export function defaultConfig(): Config {
  const values = defaults(SCHEMA) as unknown as Config;
  settle(values, null);
  return deepFreeze(values);
}

function defaults(schema: Schema): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, node] of Object.entries(schema)) {
    if (!isLeaf(node)) values[key] = defaults(node);
    else if (node.value !== undefined) values[key] = structuredClone(node.value);
  }
  return values;
}

async function readFile(path: string, values: Config): Promise<void> {
  let source: string;
  try {
    source = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`);
  }
  // Loaded only where there is a file: the start without one is the fastest.
  const { isMap, isScalar, LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true });
  const lineOf = (offset: number | undefined): number => lines.linePos(offset ?? 0).line;
  const [broken] = document.errors;
  if (broken) throw new ConfigError(`${path}:${lineOf(broken.pos[0])}: ${broken.message.split("\n")[0]}`);

  const walk = (node: unknown, schema: Schema, into: Record<string, unknown>, prefix: string): void => {
    if (!isMap(node))
      throw new ConfigError(`${path}:1: ${prefix || "the file"}: must be a mapping of keys to values`);
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : "?";
      const full = prefix ? `${prefix}.${name}` : name;
      const line = lineOf((key as { range?: number[] }).range?.[0]);
      const known = Object.hasOwn(schema, name) ? schema[name] : undefined;
      if (!known) {
        throw new ConfigError(
          `${path}:${line}: ${full}: is not known here (known: ${Object.keys(schema).join(", ")})`,
        );
      }
      if (!isLeaf(known)) {
        if (isScalar(value) && value.value === null) continue; // a heading whose keys are all commented out
        if (!isMap(value)) throw new ConfigError(`${path}:${line}: ${full}: must be a mapping of keys to values`);
        walk(value, known, into[name] as Record<string, unknown>, full);
        continue;
      }
      const given = (value as { toJSON(): unknown } | null)?.toJSON() ?? null;
      const checked = known.check(given);
      if ("wrong" in checked) throw new ConfigError(`${path}:${line}: ${full}: ${checked.wrong}`);
      into[name] = checked.ok;
    }
  };
  if (document.contents !== null)
    walk(document.contents, SCHEMA, values as unknown as Record<string, unknown>, "");
}

function fromEnvironment(environment: Record<string, string | undefined>, values: Config): void {
  const take = (
    name: string,
    leaf: Leaf,
    convert: (given: string) => unknown,
    keep: (value: never) => void,
  ): void => {
    const given = environment[name];
    if (given === undefined || given === "") return;
    const checked = leaf.check(convert(given));
    if ("wrong" in checked) throw new ConfigError(`environment: ${name}: ${checked.wrong}, not "${given}"`);
    keep(checked.ok as never);
  };
  const { api, server, dahdi, logging } = SCHEMA;
  take("DAHDI_API_HOST", server.host, String, (host: string) => (values.server.host = host));
  take("DAHDI_API_REST_PORT", server.rest_port, Number, (port: number) => (values.server.rest_port = port));
  take(
    "DAHDI_API_WS_PORT",
    server.websocket_port,
    Number,
    (port: number) => (values.server.websocket_port = port),
  );
  take("API_TIMEOUT", api.timeout, Number, (seconds: number) => (values.api.timeout = seconds));
  take("LOG_LEVEL", logging.level, String, (level: LogLevel) => (values.logging.level = level));
  take("DAHDI_DEVICE", dahdi.device, String, (path: string) => (values.dahdi.device = path));
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** What no single key can tell. */
function settle(values: Config, path: string | null): void {
  const where = path ?? "configuration";
  // The older server's way to name a channel.
  const named = /^\/dev\/dahdi\/channel0*(\d+)$/.exec(values.dahdi.device);
  if (named) {
    values.dahdi.device = "/dev/dahdi/channel";
    values.dahdi.channel = Number(named[1]);
  }
  const { dahdi, server, security, websocket } = values;
  if (dahdi.channels.length === 0) dahdi.channels = [dahdi.channel];
  if (!dahdi.channels.includes(dahdi.channel)) {
    throw new ConfigError(`${where}: dahdi.channel: must be one of dahdi.channels (${dahdi.channels.join(", ")})`);
  }
  if (websocket.ping_timeout <= websocket.ping_interval) {
    throw new ConfigError(`${where}: websocket.ping_timeout: must be longer than ping_interval`);
  }
  if (!LOOPBACK.test(server.host) && !security.allow_unauthenticated) {
    throw new ConfigError(
      `${where}: server.host: ${server.host} is open to the network, where anybody could use the telephone: ` +
        "set security.allow_unauthenticated: true if that is wanted, or keep 127.0.0.1",
    );
  }
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

/** For GET /config: what must not be shown is shown as ***. */
export function maskedConfig(config: Config): Record<string, unknown> {
  return { ...config, security: { ...config.security, api_tokens: config.security.api_tokens.map(() => "***") } };
}
