/** What is counted and measured of each line, read when a scrape asks. */
import type { Registry } from "prom-client";
import Counter from "prom-client/lib/counter";
import Gauge from "prom-client/lib/gauge";
import type { Exchange, LineDiagnostics, LineStatus } from "../../exchange/verbs";

interface Reading {
  status: LineStatus;
  diagnostics: LineDiagnostics;
}

type Read = (reading: Reading) => number | null | Record<string, number>;

interface Metric {
  name: string;
  help: string;
  /** Of a reading with several values: what tells them apart. */
  label?: string;
  read: Read;
}

const MS_PER_S = 1000;
const STATES = ["INITIALIZING", "IDLE", "RINGING", "OFF_HOOK", "IN_CALL", "ERROR"] as const;
const lifted = ({ state }: LineStatus): boolean => state === "OFF_HOOK" || state === "IN_CALL";

const COUNTERS: readonly Metric[] = [
  {
    name: "calls_total",
    help: "Off-hook sessions that ended, and rings that nobody answered or that the card's loss ended",
    label: "result",
    read: ({ status: { callStats } }) => ({
      successful: callStats.successfulCalls,
      failed: callStats.failedCalls,
    }),
  },
  {
    name: "call_seconds_total",
    help: "Length of all successful calls together",
    read: ({ status }) => status.callStats.totalDurationMs / MS_PER_S,
  },
  {
    name: "digits_total",
    help: "Digits told, of keys and dials",
    read: ({ status }) => status.callStats.dtmfDigitsReceived,
  },
  {
    name: "dtmf_refused_total",
    help: "What resembled a key and was refused",
    label: "reason",
    read: ({ diagnostics }) => diagnostics.dtmf.refused,
  },
  {
    name: "blocks_total",
    help: "Blocks of 20 ms between us and the card",
    label: "direction",
    read: ({ diagnostics: { io } }) => ({ received: io.rx_blocks, sent: io.tx_blocks }),
  },
  {
    name: "playout_underruns_total",
    help: "Blocks that a playback could not fill in time",
    read: ({ diagnostics }) => diagnostics.io.playout_underruns,
  },
  {
    name: "card_underruns_total",
    help: "The card had nothing to send",
    read: ({ diagnostics }) => diagnostics.io.card_underruns,
  },
  {
    name: "card_overruns_total",
    help: "The card threw away what it had received",
    read: ({ diagnostics }) => diagnostics.io.card_overruns,
  },
  {
    name: "late_blocks_total",
    help: "Blocks served later than 20 ms after they were due",
    read: ({ diagnostics }) => diagnostics.io.late_blocks,
  },
  {
    name: "tap_lost_blocks_total",
    help: "Blocks that recordings and listeners lost because the program stood still",
    read: ({ diagnostics }) => diagnostics.io.tap_lost_blocks,
  },
  {
    name: "bridge_slips_total",
    help: "Blocks of other lines left out or heard twice because two cards' clocks differ",
    read: ({ diagnostics }) => diagnostics.io.bridge_slips,
  },
];

const GAUGES: readonly Metric[] = [
  {
    name: "line_state",
    help: "1 for the state in which the line is",
    label: "state",
    read: ({ status }) => Object.fromEntries(STATES.map((state) => [state, Number(status.state === state)])),
  },
  {
    name: "line_ready",
    help: "1: the line is usable",
    read: ({ status }) => Number(status.fault === null && status.state !== "INITIALIZING"),
  },
  { name: "line_off_hook", help: "1: lifted", read: ({ status }) => Number(lifted(status)) },
  { name: "line_voltage_volts", help: "Between tip and ring", read: ({ status }) => status.lineVoltage },
  {
    name: "line_level_dbm0",
    help: "What is heard of a lifted telephone",
    label: "of",
    read: ({ diagnostics: { signal } }) =>
      signal.level_dbm0 === null || signal.noise_dbm0 === null
        ? null
        : { signal: signal.level_dbm0, noise: signal.noise_dbm0 },
  },
  {
    name: "service_gap_max_seconds",
    help: "The longest that the I/O thread left the line alone",
    read: ({ diagnostics }) => diagnostics.io.max_service_gap_ms / MS_PER_S,
  },
  {
    name: "playout_queued_seconds",
    help: "Sound that waits in the I/O thread",
    read: ({ diagnostics }) => diagnostics.io.queued_playout_ms / MS_PER_S,
  },
];

export function registerLineMetrics(
  registers: Registry[],
  exchange: Pick<Exchange, "lines" | "status" | "diagnostics">,
) {
  const readings = () =>
    exchange.lines.map((line) => ({
      line: String(line),
      reading: { status: exchange.status(line), diagnostics: exchange.diagnostics(line) },
    }));
  const each = ({ label, read }: Metric, set: (labels: Record<string, string>, value: number) => void): void => {
    for (const { line, reading } of readings()) {
      const value = read(reading);
      if (typeof value === "number") set({ line }, value);
      else if (value !== null && label)
        for (const [name, one] of Object.entries(value)) set({ line, [label]: name }, one);
    }
  };
  const labelNames = ({ label }: Metric): string[] => ["line", ...(label ? [label] : [])];
  for (const metric of COUNTERS) {
    new Counter({
      name: `dahdi_phone_${metric.name}`,
      help: metric.help,
      labelNames: labelNames(metric),
      registers,
      collect() {
        this.reset();
        each(metric, (labels, value) => this.inc(labels, value));
      },
    });
  }
  for (const metric of GAUGES) {
    new Gauge({
      name: `dahdi_phone_${metric.name}`,
      help: metric.help,
      labelNames: labelNames(metric),
      registers,
      collect() {
        // A line whose voltage is not known has none, rather than the last one.
        this.reset();
        each(metric, (labels, value) => this.set(labels, value));
      },
    });
  }
}
