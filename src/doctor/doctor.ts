/** All checks in the order in which an owner mends: what is further down needs what is further up. */
import { channelHolders, checkChannel, checkEchoCanceller, checkHolder } from "./channels";
import { checkConfiguration, editCommand, type ReadConfig } from "./configuration";
import { type Finding, type FindingId, skipped } from "./findings";
import { checkCard, checkCardDriver, checkDriver, driverLoaded, pciCards } from "./hardware";
import { holderNames, OUR_NAME, ourServices } from "./holders";
import { checkNodes, checkPermission, checkToneZone } from "./nodes";
import { checkPorts } from "./ports";
import { checkPageSize, checkRealtime } from "./process";
import { type SpanChannel, spanChannels } from "./spans";
import { checkSpeech } from "./speech";
import type { System } from "./system";

export interface Examination {
  system: System;
  read: ReadConfig;
  /** No card is looked at. */
  simulated: boolean;
  /** Null: not asked for. */
  selfTest: { line: number; run(): Promise<Finding[]> } | null;
}

export async function examine({ system, read, simulated, selfTest }: Examination): Promise<Finding[]> {
  const findings = [
    checkConfiguration(read),
    ...(simulated ? [skipped("card", "Simulated telephones: no card is looked at")] : checkHardware(system, read)),
    checkPageSize(system),
    checkRealtime(system),
    ...(await checkPorts(system, read.config.server, editCommand(read.path))),
    checkSpeech(system, read.config.speech, editCommand(read.path)),
  ];
  if (selfTest) {
    const served = simulated ? null : servedByUs(system, selfTest.line);
    findings.push(...(served ? [served] : await selfTest.run()));
  }
  return findings;
}

function checkHardware(system: System, { config, path }: ReadConfig): Finding[] {
  const { device, channels, echo_cancel_taps } = config.dahdi;
  const cards = pciCards(system);
  const spans = spanChannels(system);
  const findings = [checkCard(cards, spans.length), checkDriver(system, cards)];
  if (!driverLoaded(system)) {
    const rest: FindingId[] = [
      "card_driver",
      "device_nodes",
      "permission",
      "tone_zone",
      "channel",
      "holder",
      "echo_canceller",
    ];
    return [...findings, ...rest.map((id) => skipped(id, "Not looked at while the driver is not loaded"))];
  }
  const probes = channels.map((channel) => ({ channel, probe: system.probe(device, channel) }));
  findings.push(checkCardDriver(system, cards), checkNodes(system, config.dahdi));
  const [first] = probes;
  if (first) findings.push(checkPermission(system, device, first.probe), checkToneZone(system, first.probe));
  for (const { channel, probe } of probes)
    findings.push(
      checkChannel(system, channel, spans, probe, editCommand(path)),
      checkHolder(system, channel, spans),
    );
  return [...findings, checkEchoCanceller(system, channels, spans, echo_cancel_taps)];
}

/** A line that our own service holds is well, and cannot be opened a second time. */
function servedByUs(system: System, line: number): Finding | null {
  const found: SpanChannel | undefined = spanChannels(system).find(({ channel }) => channel === line);
  if (!found?.inUse) return null;
  const { holders, sawAll } = channelHolders(system, found);
  const ours = sawAll ? holders.filter(({ name }) => name === OUR_NAME) : ourServices(system);
  if (ours.length === 0) return null;
  return skipped("self_test_line", `Line ${line} is served by ${holderNames(ours)}: stop it to test the line`, {
    channel: line,
    detail: "Its measured figures are on GET /diagnostics.",
    fix: "sudo systemctl stop dahdi-phone-api",
  });
}
