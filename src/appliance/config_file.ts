/** The configuration as install leaves it: made where there is none, and checked before anything is done. */
import { isMap, parseDocument } from "yaml";
import { defaultConfig, parseConfig } from "../config/load";
import { patchedText } from "../config/patch";
import type { Config } from "../config/schema";
import { Files } from "./files";
import type { Host } from "./host";
import { CONFIG_PATH, initialConfig, STATE_FOLDER } from "./layout";

export interface PlannedConfig {
  /** What is to be written; null: it is right as it stands. */
  text: string | null;
  config: Config;
  /** Where it listens. */
  address: string;
}

/** Throws ConfigError where the program would not start on it. guarded: it will have a token. */
export async function planConfig(host: Host, listen: string | null, guarded: boolean): Promise<PlannedConfig> {
  const files = new Files(host.root);
  const there = files.text(CONFIG_PATH);
  const wanted = await withAddress(there ?? initialConfig(), listen);
  const config = await checked(wanted, files.at(STATE_FOLDER), guarded);
  const said = parseDocument(wanted).getIn(["server", "host"]);
  const address = typeof said === "string" ? said : defaultConfig().server.host;
  return { text: wanted === there ? null : wanted, config, address };
}

/** Comments and order stay. */
async function withAddress(text: string, listen: string | null): Promise<string> {
  if (listen === null) return text;
  const document = parseDocument(text);
  const { contents, errors } = document;
  const server = isMap(contents) ? (contents.get("server") ?? null) : null;
  // What cannot be read, or is no heading, is said by the check.
  if (errors.length > 0 || (contents !== null && !isMap(contents)) || (server !== null && !isMap(server)))
    return text;
  if (contents === null) return `${text.trimEnd()}\n\nserver:\n  host: ${JSON.stringify(listen)}\n`;
  return document.getIn(["server", "host"]) === listen
    ? text
    : await patchedText(text, { server: { host: listen } });
}

async function checked(text: string, stateFolder: string, guarded: boolean): Promise<Config> {
  const overrides = { restPort: null, websocketPort: null };
  // On the loopback address no token is asked for: all else is checked as it stands.
  const host = guarded ? "127.0.0.1" : null;
  const environment = { STATE_DIRECTORY: stateFolder };
  return (await parseConfig(text, CONFIG_PATH, environment, { ...overrides, host })).config;
}
