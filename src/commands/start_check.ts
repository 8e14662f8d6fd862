/** What of a configuration only this machine can tell to be wrong: found before a start fails by it. */
import { ConfigError, type ConfigFault } from "../config/fault";
import type { ParsedConfig } from "../config/load";
import { logFileFault } from "../observe/log_file";
import { isStandardOutput } from "../observe/standard_output";
import { TlsError } from "../security/tls_error";
import { StartError } from "./start_error";

/** lines: those that will be served; null: not known here. */
export async function machineFaults(
  { config, where }: ParsedConfig,
  lines: readonly number[] | null,
): Promise<ConfigFault[]> {
  const faults: ConfigFault[] = [];
  const add = (key: string, wrong: string, ...standsAt: string[]): void => {
    faults.push({ where: where(key, ...standsAt), key, wrong });
  };
  const { output } = config.logging;
  const fault = isStandardOutput(output) ? null : logFileFault(output);
  if (fault !== null) add("logging.output", fault);
  for (const [i, { line }] of config.hotline.entries()) {
    if (lines !== null && !lines.includes(line))
      add(`hotline[${i}].line`, `there is no line ${line} (there are ${lines.join(", ")})`, "hotline");
  }
  const { certificate, key } = config.server.tls;
  if (certificate !== null && key !== null) {
    const { identityFromFiles } = await import("../security/tls_identity");
    try {
      identityFromFiles(certificate, key);
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      add("server.tls.certificate", error.message);
    }
  }
  return faults;
}

/** Says all of it. A folder or a file that is not there yet may come: then systemd's next try will do. */
export async function requireStartable(parsed: ParsedConfig, lines: readonly number[]): Promise<void> {
  const faults = await machineFaults(parsed, lines);
  if (faults.length === 0) return;
  const wrong = new ConfigError(faults);
  throw faults.some(({ key }) => key?.startsWith("hotline")) ? wrong : new StartError(wrong.message);
}
