/** `dahdi-phone-api doctor` */
import { version } from "../../package.json";
import { type DoctorArguments, UsageError } from "../command_line";
import { ConfigError } from "../config/fault";
import { defaultConfig, loadConfig } from "../config/load";
import type { ReadConfig } from "../doctor/configuration";
import { examine } from "../doctor/doctor";
import { linuxSystem } from "../doctor/linux";
import { jsonReport, summary, textReport } from "../doctor/report";
import { selfTest } from "../doctor/self_test";
import { loadShim } from "../driver/library";
import { probeChannel } from "../driver/probe";
import { createEngine, lineSetups } from "./lines";
import { machineFaults } from "./start_check";

async function readConfig(line: DoctorArguments): Promise<ReadConfig> {
  try {
    const loaded = await loadConfig(line.configPath, process.env, line);
    // Of simulated lines others are meant than those of the configuration's hotlines.
    const faults = await machineFaults(loaded, line.simulatePorts === null ? loaded.config.dahdi.channels : null);
    return { ...loaded, problem: faults.length > 0 ? new ConfigError(faults).message : null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: defaultConfig(), path: line.configPath, problem: error.message };
  }
}

/** Returns the exit code. */
export async function doctor(line: DoctorArguments): Promise<number> {
  const read = await readConfig(line);
  const shim = await loadShim();
  const { config } = read;
  const lines = lineSetups(config, line.simulatePorts);
  const tested = lines.find((one) => one.line === line.selfTest);
  if (line.selfTest !== null && !tested) {
    const known = lines.map((one) => one.line).join(", ");
    throw new UsageError(`--self-test: there is no line ${line.selfTest}, only ${known}`);
  }
  const findings = await examine({
    system: linuxSystem((device, channel) => probeChannel(shim, device, channel)),
    read,
    simulated: line.simulatePorts !== null,
    selfTest: tested
      ? {
          line: tested.line,
          run: () => selfTest({ engine: createEngine(config, shim), ...tested, ring: line.ring }),
        }
      : null,
  });
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  process.stdout.write(line.json ? jsonReport(version, findings) : textReport(version, findings, colours));
  return summary(findings).errors > 0 ? 1 : 0;
}
