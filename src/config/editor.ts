/** Changes to the running configuration: by a client's patch, or in the file by somebody's editor. One at a time. */
import { basename } from "node:path";
import { ConfigError, type ConfigFault } from "./fault";
import { NO_FILE } from "./file";
import type { ParsedConfig } from "./load";
import { isModest, type Patch, patchedKeys, patchedText } from "./patch";
import { type ConfigChange, differences, type RunningConfig } from "./running";

export interface ConfigEditorNeeds {
  running: RunningConfig;
  /** null: there is none, and none may be made. */
  path: string | null;
  /** null: there never was one. Throws ConfigError where it cannot be read. */
  read(path: string): string | null;
  /** Whole or not at all; throws what the system says. */
  write(path: string, text: string): void;
  /** As at a start, with the environment and the command line over it; throws ConfigError. */
  parse(text: string, path: string): Promise<ParsedConfig>;
  /** What would fail at the next start. */
  machineFaults(parsed: ParsedConfig): Promise<ConfigFault[]>;
}

export interface PatchOutcome extends ConfigChange {
  /** Named in the patch, written, and without effect: the environment or the command line says otherwise. */
  overridden: string[];
}

/** Where nothing is done, nothing has changed. wrong: the patch; refused: it may be right. */
export type PatchResult =
  | { done: PatchOutcome }
  | { wrong: readonly { key: string; message: string }[] }
  | { refused: { code: "no_config_file" | "config_not_writable" | "config_broken"; message: string } };

export class ConfigEditor {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly needs: ConfigEditorNeeds) {}

  patch(patch: Patch): Promise<PatchResult> {
    return this.#inTurn(() => this.#patch(patch));
  }

  /** The file as it is now. Rejects with ConfigError; then all stays as it was. */
  reload(): Promise<ConfigChange> {
    return this.#inTurn(async () => {
      const { path, parse, read, running } = this.needs;
      return running.take((await parse((path && read(path)) ?? "", path ?? "configuration")).config);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #patch(patch: Patch): Promise<PatchResult> {
    const { path, parse, read, running, write, machineFaults } = this.needs;
    if (path === null) {
      const message = "This server was started without a configuration file: start it with --config=FILE.";
      return { refused: { code: "no_config_file", message } };
    }
    // Where the file lies is nobody's business who only talks to us.
    const named = (message: string): string => message.replaceAll(path, basename(path));
    if (!isModest(patch))
      return { wrong: [{ key: "body", message: "is larger or deeper than any configuration" }] };
    let source: string;
    let before: ParsedConfig;
    try {
      source = read(path) ?? "";
      before = await parse(source, path);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // What is wrong in the file already is not the patch's fault, and is not written over.
      const message = `Mend the file first: ${named(error.oneLine)}.`;
      return { refused: { code: "config_broken", message } };
    }
    const text = await patchedText(source, patch);
    let parsed: ParsedConfig;
    try {
      parsed = await parse(text, path);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { wrong: error.faults.map(inPatch).map(({ key, message }) => ({ key, message: named(message) })) };
    }
    const { config: next } = parsed;
    // A log's folder that went away meanwhile is no fault of a patch that does not name it.
    const touched = differences(before.config, next);
    const faults = (await machineFaults(parsed)).filter(({ key }) => touched.some((one) => key?.startsWith(one)));
    if (faults.length > 0) return { wrong: faults.map(inPatch) };
    try {
      write(path, text);
    } catch (error) {
      const { code = "unknown error" } = error as NodeJS.ErrnoException;
      const message = `${basename(path)} cannot be written (${code}): ${CURES[code] ?? CURE}.`;
      return { refused: { code: "config_not_writable", message } };
    }
    const change = running.take(next);
    const patched = patchedKeys(patch).filter((key) => isPlain(at(patch, key)));
    return { done: { ...change, overridden: patched.filter((key) => at(patch, key) !== at(next, key)) } };
  }
}

const inPatch = ({ key, wrong }: ConfigFault): { key: string; message: string } => ({
  key: key ?? "body",
  message: wrong,
});

const CURE = "let the service's user write it and its folder";
const CURES: Record<string, string> = {
  ENOSPC: "make room on its disk",
  EDQUOT: "make room in its user's quota",
  EROFS: "its file system is read-only, mount it anew",
  [NO_FILE]: "it is a device, a pipe or a folder: start the server with --config=FILE",
};

/** What the schema keeps in another form (tokens as hashes, say) cannot be compared. */
const isPlain = (value: unknown): boolean => value !== null && typeof value !== "object";

const at = (from: unknown, key: string): unknown =>
  key.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], from);
