/**
 * The configuration: a schema, a YAML file, the environment, the command line, in that order of weight. What is
 * wrong is said with file, line and key, and nothing starts on it.
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { shownUrl } from "../events/webhooks/webhook";
import type { LogLevel } from "../observe/log";
import { hasTokens } from "../security/token_file";
import { shownUrl as shownStreamUrl } from "../streams/stream_request";
import { isLeaf, isList, type Leaf, type ListOf, type Schema } from "./leaf";
import { type Config, SCHEMA } from "./schema";
import { administeredDirectory, stateDirectory } from "./state_dir";

const MAPPING = "must be a mapping of keys to values";

export const DEFAULT_CONFIG_PATH = "/etc/dahdi_phone/config.yml";

/** One line: FILE:LINE: KEY: what is wrong. */
export class ConfigError extends Error {
  constructor(
    /** A file with its line, or what else it comes from. */
    readonly where: string,
    /** Dotted; null: it is no key's fault. */
    readonly key: string | null,
    /** Without a secret in it. */
    readonly wrong: string,
  ) {
    super(key === null ? `${where}: ${wrong}` : `${where}: ${key}: ${wrong}`);
  }
}

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
  const source = path === null ? null : readSource(path);
  return { config: await parseConfig(source, path, environment, overrides), path };
}

/** The same of a text, which need not be in the file yet; null: of nothing. path: for what is wrong. */
export async function parseConfig(
  source: string | null,
  path: string | null,
  environment: Record<string, string | undefined>,
  overrides: ConfigOverrides,
): Promise<Config> {
  const values = defaults(SCHEMA) as unknown as Config;
  if (source !== null && path !== null) await readText(source, path, values);
  fromEnvironment(environment, values);
  values.server.host = overrides.host ?? values.server.host;
  values.server.rest_port = overrides.restPort ?? values.server.rest_port;
  values.server.websocket_port = overrides.websocketPort ?? values.server.websocket_port;
  settle(values, path, environment);
  return deepFreeze(values);
}

/** What is so where nobody says otherwise. */
export function defaultConfig(): Config {
  const values = defaults(SCHEMA) as unknown as Config;
  settle(values, null, {});
  return deepFreeze(values);
}

function defaults(schema: Schema): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, node] of Object.entries(schema)) {
    if (isList(node)) values[key] = [];
    else if (!isLeaf(node)) values[key] = defaults(node);
    else if (node.value !== undefined) values[key] = structuredClone(node.value);
  }
  return values;
}

export function readSource(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(
      path,
      null,
      `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
    );
  }
}

async function readText(source: string, path: string, values: Config): Promise<void> {
  // Loaded only where there is a file: the start without one is the fastest.
  const { isMap, isScalar, isSeq, LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true });
  const lineOf = (offset: number | undefined): number => lines.linePos(offset ?? 0).line;
  const [broken] = document.errors;
  if (broken) throw new ConfigError(`${path}:${lineOf(broken.pos[0])}`, null, broken.message.split("\n")[0] ?? "");

  const readList = (items: readonly unknown[], list: ListOf, full: string): Record<string, unknown>[] => {
    const done: Record<string, unknown>[] = [];
    for (const [i, node] of items.entries()) {
      const here = `${full}[${i}]`;
      const item = defaults(list.item);
      const line = lineOf((node as { range?: number[] } | null)?.range?.[0]);
      if (!isMap(node)) throw new ConfigError(`${path}:${line}`, here, MAPPING);
      walk(node, list.item, item, here);
      const missing = list.required.find((key) => item[key] === undefined);
      if (missing) throw new ConfigError(`${path}:${line}`, `${here}.${missing}`, "is missing");
      const fault = list.checkItem(item, done);
      if (fault) {
        const pair = node.items.find(({ key }) => isScalar(key) && key.value === fault.key);
        const at = lineOf((pair?.key as { range?: number[] } | undefined)?.range?.[0]);
        throw new ConfigError(`${path}:${at}`, `${here}.${fault.key}`, fault.wrong);
      }
      done.push(item);
    }
    return done;
  };
  const walk = (node: unknown, schema: Schema, into: Record<string, unknown>, prefix: string): void => {
    if (!isMap(node)) throw new ConfigError(`${path}:1`, prefix || "the file", MAPPING);
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : "?";
      const full = prefix ? `${prefix}.${name}` : name;
      const line = lineOf((key as { range?: number[] }).range?.[0]);
      const known = Object.hasOwn(schema, name) ? schema[name] : undefined;
      if (!known) {
        throw new ConfigError(
          `${path}:${line}`,
          full,
          `is not known here (known: ${Object.keys(schema).join(", ")})`,
        );
      }
      if (isList(known)) {
        if (isScalar(value) && value.value === null) continue;
        if (!isSeq(value)) throw new ConfigError(`${path}:${line}`, full, "must be a list");
        into[name] = readList(value.items, known, full);
        continue;
      }
      if (!isLeaf(known)) {
        if (isScalar(value) && value.value === null) continue; // a heading whose keys are all commented out
        if (!isMap(value)) throw new ConfigError(`${path}:${line}`, full, MAPPING);
        walk(value, known, into[name] as Record<string, unknown>, full);
        continue;
      }
      const given = (value as { toJSON(): unknown } | null)?.toJSON() ?? null;
      const checked = known.check(given);
      if ("wrong" in checked) throw new ConfigError(`${path}:${line}`, full, checked.wrong);
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
    if ("wrong" in checked) throw new ConfigError("environment", name, `${checked.wrong}, not "${given}"`);
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
  take("DAHDI_API_STATE_DIR", SCHEMA.state_dir, String, (folder: string) => (values.state_dir = folder));
  take("DAHDI_DEVICE", dahdi.device, String, (path: string) => (values.dahdi.device = path));
}

/** Nobody but this machine can reach it. */
export const isLocalHost = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

/** What no single key can tell. */
function settle(values: Config, path: string | null, environment: Record<string, string | undefined>): void {
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
    throw new ConfigError(where, "dahdi.channel", `must be one of dahdi.channels (${dahdi.channels.join(", ")})`);
  }
  if (websocket.ping_timeout <= websocket.ping_interval) {
    throw new ConfigError(where, "websocket.ping_timeout", `must be longer than ping_interval`);
  }
  const { tls } = server;
  if ((tls.certificate === null) !== (tls.key === null)) {
    throw new ConfigError(where, "server.tls", `certificate and key go together: one is missing`);
  }
  if (tls.certificate !== null && tls.self_signed) {
    throw new ConfigError(where, "server.tls.self_signed", `there is a certificate already: remove one of them`);
  }
  const guarded =
    isLocalHost(server.host) ||
    security.allow_unauthenticated ||
    security.api_tokens.length > 0 ||
    // Both: the doctor asks as root about a service that is not.
    [stateDirectory, administeredDirectory].some((find) =>
      hasTokens(find(values.state_dir, environment, homedir())),
    );
  if (!guarded) {
    throw new ConfigError(
      where,
      "server.host",
      `${server.host} is open to the network, where anybody could use the telephone: make a token ` +
        "(dahdi-phone-api token create --name=me --scope=admin), keep 127.0.0.1, or set security.allow_unauthenticated: true",
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
  return {
    ...config,
    webhooks: config.webhooks.map((webhook) => ({ ...webhook, url: shownUrl(webhook.url), secret: "***" })),
    stream: { ...config.stream, twilio_auth_token: config.stream.twilio_auth_token && "***" },
    hotline: config.hotline.map((hotline) => ({
      ...hotline,
      url: shownStreamUrl(new URL(hotline.url)),
      // Whatever a bot is told to know us by.
      custom_parameters: Object.fromEntries(Object.keys(hotline.custom_parameters).map((name) => [name, "***"])),
    })),
    security: {
      ...config.security,
      api_tokens: config.security.api_tokens.map(({ name, scope, lines }) => ({
        name,
        scope,
        lines,
        token: "***",
      })),
    },
  };
}
