/**
 * The configuration: a schema, a YAML file, the environment, the command line, in that order of weight. All that is
 * wrong is said at once, with file, line and key, and nothing starts on it.
 */
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { shownUrl } from "../events/webhooks/webhook";
import type { LogLevel } from "../observe/log";
import { hasTokens } from "../security/token_file";
import { shownUrl as shownStreamUrl } from "../streams/stream_request";
import { ConfigError, Faults } from "./fault";
import type { Leaf } from "./leaf";
import { defaults, readText } from "./read_text";
import { type Config, SCHEMA } from "./schema";
import { administeredDirectory, stateDirectory } from "./state_dir";

export const DEFAULT_CONFIG_PATH = "/etc/dahdi_phone/config.yml";

/** What the command line overrides; null: not said. */
export interface ConfigOverrides {
  host: string | null;
  restPort: number | null;
  websocketPort: number | null;
}

export interface ParsedConfig {
  config: Config;
  /** Where the first of these keys stands that is said anywhere. */
  where(...keys: string[]): string;
}

export interface LoadedConfig extends ParsedConfig {
  /** The file it came from, null where none was there. */
  path: string | null;
}

/** configPath: asked for by name and so must exist; null: the default one, if it is there. */
export async function loadConfig(
  configPath: string | null,
  environment: Record<string, string | undefined>,
  overrides: ConfigOverrides,
): Promise<LoadedConfig> {
  const path = configPath ?? (mayBeThere(DEFAULT_CONFIG_PATH) ? DEFAULT_CONFIG_PATH : null);
  const source = path === null ? null : readSource(path);
  return { ...(await parseConfig(source, path, environment, overrides)), path };
}

/** The one key that a backup needs, whatever else is wrong; null: it is not said, or cannot be read. */
export async function saidStateDirectory(
  source: string,
  environment: Record<string, string | undefined>,
): Promise<string | null> {
  const values = defaults(SCHEMA) as unknown as Config;
  const unheard = new Faults("configuration");
  await readText(source, "configuration", SCHEMA, values as unknown as Record<string, unknown>, unheard);
  fromEnvironment(environment, values, unheard);
  return values.state_dir;
}

/** The same of a text, which need not be in the file yet; null: of nothing. path: for what is wrong. */
export async function parseConfig(
  source: string | null,
  path: string | null,
  environment: Record<string, string | undefined>,
  overrides: ConfigOverrides,
): Promise<ParsedConfig> {
  const values = defaults(SCHEMA) as unknown as Config;
  const faults = new Faults(path ?? "configuration");
  if (source !== null && path !== null) {
    await readText(source, path, SCHEMA, values as unknown as Record<string, unknown>, faults);
  }
  fromEnvironment(environment, values, faults);
  const { server } = values;
  const override = <K extends "host" | "rest_port" | "websocket_port">(
    key: K,
    given: Config["server"][K] | null,
  ) => {
    if (given === null) return;
    server[key] = given;
    faults.stands(`server.${key}`, "command line");
  };
  override("host", overrides.host);
  override("rest_port", overrides.restPort);
  override("websocket_port", overrides.websocketPort);
  settle(values, environment, faults, path);
  faults.throwIfAny();
  return { config: deepFreeze(values), where: (...keys) => faults.where(...keys) };
}

/** What is so where nobody says otherwise. */
export function defaultConfig(): Config {
  const values = defaults(SCHEMA) as unknown as Config;
  settle(values, {}, new Faults("configuration"), null);
  return deepFreeze(values);
}

const UNREADABLE: Record<string, string> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "this user may not: try with sudo, or name another with --config=FILE",
};

/**
 * Also where this user may not look: the service's folder is closed to others, and without sudo its configuration would
 * be taken for missing, and a token be made where no server looks for it.
 */
export function mayBeThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

export function readSource(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    const why = code in UNREADABLE ? `: ${UNREADABLE[code]}` : "";
    throw new ConfigError([{ where: path, key: null, wrong: `cannot be read (${code})${why}` }]);
  }
}

function fromEnvironment(environment: Record<string, string | undefined>, values: Config, faults: Faults): void {
  const { api, server, dahdi, logging } = values;
  const take = (
    name: string,
    key: string,
    leaf: Leaf,
    convert: (given: string) => unknown,
    keep: (value: never) => void,
  ): void => {
    const given = environment[name];
    if (given === undefined || given === "") return;
    const checked = leaf.check(convert(given));
    if ("wrong" in checked) faults.add("environment", name, `${checked.wrong}, not "${given}"`);
    else {
      faults.stands(key, `environment: ${name}`);
      keep(checked.ok as never);
    }
  };
  take("DAHDI_API_HOST", "server.host", SCHEMA.server.host, String, (host: string) => (server.host = host));
  const port = SCHEMA.server.rest_port;
  take("DAHDI_API_REST_PORT", "server.rest_port", port, Number, (rest: number) => (server.rest_port = rest));
  take("DAHDI_API_WS_PORT", "server.websocket_port", port, Number, (ws: number) => (server.websocket_port = ws));
  take("API_TIMEOUT", "api.timeout", SCHEMA.api.timeout, Number, (seconds: number) => (api.timeout = seconds));
  take("LOG_LEVEL", "logging.level", SCHEMA.logging.level, String, (level: LogLevel) => (logging.level = level));
  take("DAHDI_API_STATE_DIR", "state_dir", SCHEMA.state_dir, String, (at: string) => (values.state_dir = at));
  take("DAHDI_DEVICE", "dahdi.device", SCHEMA.dahdi.device, String, (path: string) => (dahdi.device = path));
}

/** Nobody but this machine can reach it. */
export const isLocalHost = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

/** What no single key can tell. */
function settle(
  values: Config,
  environment: Record<string, string | undefined>,
  faults: Faults,
  path: string | null,
): void {
  // The older server's way to name a channel.
  const named = /^\/dev\/dahdi\/channel0*(\d+)$/.exec(values.dahdi.device);
  if (named) {
    values.dahdi.device = "/dev/dahdi/channel";
    values.dahdi.channel = Number(named[1]);
  }
  const { dahdi, server, security, websocket } = values;
  if (dahdi.channels.length === 0) dahdi.channels = [dahdi.channel];
  if (!dahdi.channels.includes(dahdi.channel)) {
    const all = dahdi.channels.join(", ");
    // It may stand nowhere: then it is 1.
    const wrong = `${dahdi.channel}, the line of the verbs without /lines/{line}, must be one of dahdi.channels (${all})`;
    faults.addTogether(["dahdi.channel", "dahdi.channels"], `${wrong}: say channel: ${dahdi.channels[0]}`);
  }
  if (websocket.ping_timeout <= websocket.ping_interval) {
    faults.addTogether(["websocket.ping_timeout", "websocket.ping_interval"], "must be longer than ping_interval");
  }
  const { tls } = server;
  if ((tls.certificate === null) !== (tls.key === null)) {
    const both = ["server.tls", "server.tls.certificate", "server.tls.key"] as const;
    faults.addTogether(both, "certificate and key go together: one is missing");
  }
  if (tls.certificate !== null && tls.self_signed) {
    const both = ["server.tls.self_signed", "server.tls.certificate"] as const;
    faults.addTogether(both, "there is a certificate already: remove one of them");
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
    // Of another configuration the token would lie elsewhere.
    const ofFile = path === null || path === DEFAULT_CONFIG_PATH ? "" : ` --config=${path}`;
    faults.addTogether(
      ["server.host", "security", "state_dir"],
      `${server.host} is open to the network, where anybody could use the telephone: make a token ` +
        `(dahdi-phone-api token create --name=me --scope=admin${ofFile}), keep 127.0.0.1, or set ` +
        "security.allow_unauthenticated: true",
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
