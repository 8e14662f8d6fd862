/** `dahdi-phone-api config check`, `backup` and `restore` */
import { homedir } from "node:os";
import { version } from "../../package.json";
import { KEEPING_HELP, type KeepingCommand } from "../backup/arguments";
import { backup, restore } from "../backup/backup";
import { ConfigError } from "../config/fault";
import {
  DEFAULT_CONFIG_PATH,
  loadConfig,
  mayBeThere,
  parseConfig,
  readSource,
  saidStateDirectory,
} from "../config/load";
import { administeredDirectory } from "../config/state_dir";
import { machineFaults } from "./start_check";
import { StartError } from "./start_error";

const NOTHING_OVER_IT = { host: null, restPort: null, websocketPort: null };

async function stateFolderOf(source: string): Promise<string> {
  const said = await saidStateDirectory(source, process.env);
  const folder = administeredDirectory(said, process.env, homedir());
  if (folder === null) throw new StartError("there is no state folder: set state_dir");
  return folder;
}

export async function keeping(line: KeepingCommand): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (line.help) return say(KEEPING_HELP[line.command].trimEnd());
  const configPath = line.configPath ?? DEFAULT_CONFIG_PATH;
  if (line.command === "config check") {
    const loaded = await loadConfig(line.configPath, process.env, NOTHING_OVER_IT);
    const { path, config } = loaded;
    const faults = await machineFaults(loaded, config.dahdi.channels);
    if (faults.length > 0) throw new ConfigError(faults);
    return say(`${path ?? `${DEFAULT_CONFIG_PATH} is not there, and what is so without it`} is right`);
  }
  // A configuration that is wrong is kept all the same, and is no reason not to put a right one in its place.
  const stateFolder = await stateFolderOf(mayBeThere(configPath) ? readSource(configPath) : "");
  const places = { configPath, stateFolder, version, nowMs: Date.now(), say };
  if (line.command === "backup") await backup(line.file, line.recordings, places);
  else {
    // Open to the network is a configuration whose tokens come with it.
    const checkConfig = (text: string, path: string, state: string) =>
      parseConfig(text, path, { ...process.env, DAHDI_API_STATE_DIR: state }, NOTHING_OVER_IT);
    await restore(line.file, { ...places, stateFolderOf, checkConfig });
  }
}
