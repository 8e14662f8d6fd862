/** One idle line, through the engine that serves it: does it come up, and do its blocks flow. */
import { constants } from "node:os";
import { Capability } from "../driver/abi.gen";
import type { DriverEvent } from "../driver/decode";
import { type DriverEngine, DriverError } from "../driver/engine";
import { errnoName, lineFault } from "../driver/faults";
import { Port } from "../driver/port";
import { voltageStatus } from "../line/voltage";
import { error, type Finding, ok, skipped, warning } from "./findings";

export interface SelfTest {
  /** Not started yet; ended here. */
  engine: DriverEngine;
  /** The line's number in the API. */
  line: number;
  /** Null when simulated. */
  device: string | null;
  /** Rings one burst as well. */
  ring: boolean;
}

const UP_LIMIT_MS = 3000;
/** The driver's buffers fill and empty once before anything is counted. */
const SETTLE_MS = 300;
const MEASURE_MS = 2000;
const BURST_MS = 500;
const RING_LIMIT_MS = 5000;
const POLL_MS = 5;
/** 8 kHz in blocks of 160; a card's crystal is good for 50 ppm, the rest is where in a block we look. */
const BLOCKS_PER_SECOND = { wanted: 50, low: 48, high: 52 };
/** The API tells of a voice above this: a line that is as loud when nobody speaks is never silent. */
const LOUDEST_NOISE_DBM0 = -50;
const NS_PER_MS = 1e6;

export async function selfTest(options: SelfTest): Promise<Finding[]> {
  const { engine, line, device } = options;
  try {
    const index = addLine(engine, line, device);
    engine.start();
    const startedAtNs = engine.nowNs();
    const first = await waitFor(engine, UP_LIMIT_MS, ({ index: of, kind }) => of === index && /^line_/.test(kind));
    const sinceStartMs = Math.round((engine.nowNs() - startedAtNs) / NS_PER_MS);
    if (first?.kind !== "line_up") return [doesNotComeUp(first, { device, channel: line })];
    const port = new Port(engine, index, line, device);
    return [
      ok("self_test_line", `Line ${line} came up in ${sinceStartMs} ms`, { channel: line }),
      ...(await measure(engine, port)),
      options.ring ? await ringOnce(engine, port) : notRung(line),
    ];
  } finally {
    engine.destroy();
  }
}

/** Simulated lines count from 1: those before it come along. */
function addLine(engine: DriverEngine, line: number, device: string | null): number {
  if (device !== null) return engine.addDahdi(device, line);
  for (let i = 1; i < line; i++) engine.addSimulated();
  return engine.addSimulated();
}

/** The first event that is meant; null when it does not come. */
async function waitFor(
  engine: DriverEngine,
  limitMs: number,
  meant: (event: DriverEvent) => boolean,
): Promise<DriverEvent | null> {
  const untilNs = engine.nowNs() + limitMs * NS_PER_MS;
  let found: DriverEvent | null = null;
  for (;;) {
    engine.drain((event) => {
      if (found === null && meant(event)) found = event;
    });
    if (found !== null || engine.nowNs() > untilNs) return found;
    await Bun.sleep(POLL_MS);
  }
}

function doesNotComeUp(event: DriverEvent | null, at: { device: string | null; channel: number }): Finding {
  const rest = { channel: at.channel };
  if (event?.kind !== "line_down") {
    return error("self_test_line", `Line ${at.channel} did not come up within ${UP_LIMIT_MS / 1000} s`, rest);
  }
  const { message, fix } = lineFault(event.stage, event.errno, at);
  return error("self_test_line", `Line ${at.channel} does not come up`, { ...rest, detail: message, fix });
}

async function measure(engine: DriverEngine, port: Port): Promise<Finding[]> {
  await waitFor(engine, SETTLE_MS, () => false);
  const before = port.stats();
  const beforeNs = engine.nowNs();
  await waitFor(engine, MEASURE_MS, () => false);
  const after = port.stats();
  const seconds = (engine.nowNs() - beforeNs) / 1e9;
  const lost = after.card_overruns - before.card_overruns + after.card_underruns - before.card_underruns;
  const rate = (after.rx_blocks - before.rx_blocks) / seconds;
  return [
    audio(port.channel, rate, lost),
    loop(port.channel, after),
    signal(port.channel, after),
    voltage(port.channel, after),
  ];
}

type Stats = ReturnType<Port["stats"]>;

function audio(channel: number, rate: number, lost: number): Finding {
  const { wanted, low, high } = BLOCKS_PER_SECOND;
  const measured = `${rate.toFixed(1)} blocks a second`;
  if (rate < low || rate > high) {
    return error("self_test_audio", `The card delivers ${measured} instead of ${wanted}`, {
      channel,
      detail:
        rate < 1
          ? "No sound comes: the card gives no interrupts, or its span has no timing."
          : "The machine is too busy, or the card's clock is not the one that the driver runs on.",
      fix: "cat /proc/interrupts ; sudo dmesg | tail -n 30",
    });
  }
  if (lost > 0) {
    return warning("self_test_audio", `${measured}, and ${lost} over- or underruns in ${MEASURE_MS / 1000} s`, {
      channel,
      detail: "The machine did not serve the card in time: give the service real-time priority.",
    });
  }
  return ok("self_test_audio", `${measured}, no over- or underrun`, { channel });
}

function loop(channel: number, { lifted, alarmNames }: Stats): Finding {
  if (alarmNames.length > 0) {
    return warning("self_test_loop", `The line has an alarm: ${alarmNames.join(", ")}`, { channel });
  }
  if (lifted === 1) {
    return warning("self_test_loop", "The telephone is lifted", {
      channel,
      detail:
        "Hang it up and ask again: an idle line was to be tested. If it lies on its cradle, the wiring is shorted.",
    });
  }
  return ok("self_test_loop", "The telephone is on-hook", { channel });
}

/** A loop that is open carries no sound: nothing is heard on-hook. */
function signal(channel: number, { lifted, level_cdbm0, noise_cdbm0 }: Stats): Finding {
  if (lifted !== 1)
    return skipped("self_test_signal", "Noise can be measured while the telephone is lifted", { channel });
  const noise = noise_cdbm0 / 100;
  const title = `Noise ${noise.toFixed(1)} dBm0, level now ${(level_cdbm0 / 100).toFixed(1)} dBm0`;
  if (noise <= LOUDEST_NOISE_DBM0) return ok("self_test_signal", title, { channel });
  return warning("self_test_signal", title, {
    channel,
    detail: `Louder than ${LOUDEST_NOISE_DBM0} dBm0 it is taken for a voice: look for hum from the mains, or lower dahdi.rx_gain_db.`,
  });
}

function voltage(channel: number, stats: Stats): Finding {
  if ((stats.capabilities & Capability.Voltage) === 0 || stats.voltage_known !== 1)
    return skipped("self_test_voltage", "This card does not tell its line voltage", { channel });
  const volts = Math.abs(stats.tip_mv - stats.ring_mv) / 1000;
  const lifted = stats.lifted === 1;
  const status = voltageStatus(volts, lifted);
  const title = `${volts.toFixed(1)} V ${lifted ? "lifted" : "on-hook"}, battery ${(stats.battery_mv / 1000).toFixed(1)} V`;
  if (status === "normal") return ok("self_test_voltage", title, { channel });
  return warning("self_test_voltage", `${title}: ${status}`, {
    channel,
    detail:
      status === "low"
        ? "The card's own 12 V supply may be missing, or the line is shorted."
        : "More than a card feeds: is the line connected to something else?",
  });
}

const notRung = (channel: number): Finding =>
  skipped("self_test_ring", "The bell was not rung: add --ring to hear it", { channel });

async function ringOnce(engine: DriverEngine, port: Port): Promise<Finding> {
  const { channel } = port;
  if (port.stats().lifted === 1) return skipped("self_test_ring", "A lifted telephone is not rung", { channel });
  let done: DriverEvent | null;
  try {
    const accepted = port.ring({ bursts: [{ onMs: BURST_MS, offMs: 0 }], repeat: 1, capMs: 0 }, () => undefined);
    accepted.catch(() => undefined); // settled by the drain within, looked at after it
    done = await waitFor(
      engine,
      RING_LIMIT_MS,
      (event) => event.kind === "ring_done" || (event.kind === "command_done" && event.result < 0),
    );
    if (done) await accepted;
  } catch (problem) {
    if (!(problem instanceof DriverError)) throw problem;
    return refusedRing(channel, problem.errno);
  }
  if (done?.kind !== "ring_done" || done.reason === "error")
    return error("self_test_ring", "The bell did not ring to its end", {
      channel,
      fix: "sudo dmesg | tail -n 30",
    });
  if (done.reason === "answered")
    return ok("self_test_ring", "The bell rang, and the telephone was lifted", { channel });
  return ok("self_test_ring", `The bell rang for ${BURST_MS} ms: did you hear it?`, { channel });
}

function refusedRing(channel: number, errno: number): Finding {
  if (errno === constants.errno.ENODATA) {
    return error("self_test_ring", "The driver refuses to ring: no tone zone is loaded", {
      channel,
      detail: "loadzone in /etc/dahdi/system.conf names one.",
      fix: "sudo dahdi_cfg -vv",
    });
  }
  return error("self_test_ring", `The driver refuses to ring (${errnoName(errno)})`, {
    channel,
    fix: "sudo dmesg | tail -n 30",
  });
}
