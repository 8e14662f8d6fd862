/** What a bug report says of the machine that serves. Of a file of its own, loaded with the first report. */
import { version } from "../../package.json";
import type { Config } from "../config/schema";
import { examine } from "../doctor/doctor";
import { linuxSystem } from "../doctor/linux";
import { type MachineReport, machineReport } from "../doctor/machine_report";
import type { Shim } from "../driver/library";
import { probeChannel } from "../driver/probe";

interface Served {
  shim: Shim;
  config: Config;
  path: string | null;
  simulated: boolean;
}

export function machineOf({ shim, config, path, simulated }: Served): Promise<MachineReport> {
  const system = linuxSystem((device, channel) => probeChannel(shim, device, channel));
  return machineReport(system, version, () =>
    examine({ system, read: { config, path, problem: null }, simulated, selfTest: null }),
  );
}
