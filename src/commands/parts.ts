/** Parts of a server, made of its configuration. */
import { existsSync } from "node:fs";
import type { ServeArguments } from "../command_line";
import { ConfigEditor } from "../config/editor";
import { replaceFile } from "../config/file";
import { ConfigError, DEFAULT_CONFIG_PATH, parseConfig, readSource } from "../config/load";
import type { RunningConfig } from "../config/running";
import type { Config } from "../config/schema";
import { hotlineRequest } from "../config/streams";
import type { LineSetup } from "../exchange/phone_exchange";
import { createLogs, type Logs } from "../observe/log";
import { TlsError } from "../security/tls_identity";
import { TokenFileError } from "../security/token_file";
import type { SpeechOptions } from "../sounds/speech";
import type { StreamBookOptions } from "../streams/stream_book";
import { planStream } from "../streams/stream_request";
import { type Secured, secure } from "./secured";
import { StartError } from "./start_error";

const MIB = 1024 * 1024;

/** path: the file that was read; without one a server of real telephones makes the usual one. */
export function configEditor(running: RunningConfig, line: ServeArguments, path: string | null): ConfigEditor {
  return new ConfigEditor({
    running,
    path: path ?? (line.simulatePorts === null ? DEFAULT_CONFIG_PATH : null),
    // One that was there at the start and is gone is no wish for the defaults: somebody is just writing it, or erred.
    read: (file) => (path === null && !existsSync(file) ? null : readSource(file)),
    write: replaceFile,
    parse: (text, file) => parseConfig(text, file, process.env, line),
  });
}

export function speechOptions({ speech }: Config): SpeechOptions {
  return {
    engine: speech.engine,
    espeakNg: speech.espeak_ng,
    piper: speech.piper,
    piperModel: speech.piper_model,
    voice: speech.voice,
    timeoutMs: speech.timeout_seconds * 1000,
  };
}

/** Which of the lines are hotlines, and to where. */
export function hotlines(
  { hotline }: Config,
  lines: readonly LineSetup[],
  path: string | null,
): StreamBookOptions["hotlines"] {
  return hotline.map((each, i) => {
    if (!lines.some(({ line }) => line === each.line)) {
      throw new ConfigError(path ?? "configuration", `hotline[${i}].line`, `there is no line ${each.line}`);
    }
    const checked = planStream(hotlineRequest(each), null);
    if ("faults" in checked) throw new Error("a hotline is checked when it is read");
    return { ...checked.planned, line: each.line, onAnswer: each.on_answer };
  });
}

export function secured(config: Config, stateFolder: string | null, logs: Logs): Secured {
  try {
    return secure(config, stateFolder, logs);
  } catch (error) {
    if (error instanceof TlsError || error instanceof TokenFileError) throw new StartError(error.message);
    throw error;
  }
}

export function openLogs(logging: Config["logging"]): ReturnType<typeof createLogs> {
  const { max_size_mb, output } = logging;
  const journal = output === "stderr" && process.env.JOURNAL_STREAM !== undefined;
  try {
    return createLogs({ ...logging, maxBytes: max_size_mb * MIB, journal });
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new StartError(`cannot write the log ${output} (${code}): choose another place (logging.output)`);
  }
}
