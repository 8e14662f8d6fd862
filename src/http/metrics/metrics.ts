/**
 * GET /metrics, in Prometheus' text. What others count is read when a scrape asks; only requests and events are counted
 * as they happen.
 */
import { readdirSync } from "node:fs";
import Counter from "prom-client/lib/counter";
import Gauge from "prom-client/lib/gauge";
import Histogram from "prom-client/lib/histogram";
import Registry from "prom-client/lib/registry";
import type { JournalStatus } from "../../events/journal";
import type { WebhookStatus } from "../../events/webhooks/webhook";
import type { Exchange } from "../../exchange/verbs";
import { registerLineMetrics } from "./line_metrics";

export interface MetricSources {
  exchange: Exchange;
  version: string;
  startedAtMs: number;
  eventLogStatus(): JournalStatus;
  webhooks: readonly { status(): WebhookStatus }[];
  recordings: { list(line: null): Promise<readonly { bytes: number }[]> };
  websocketClients(): number;
  eventStreamClients(): number;
  logLinesLost(): number;
}

export interface Metrics {
  /** Prometheus' text exposition format, version 0.0.4. */
  text(): Promise<string>;
  requestAnswered(method: string, route: string, status: number, seconds: number): void;
  /** latencySeconds: from when the I/O thread told it until it stood in the log. */
  eventPublished(type: string, latencySeconds: number): void;
}

export const METRICS_MEDIA_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** From what a status costs to what a client waits for. */
const REQUEST_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];
const EVENT_BUCKETS_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];
const US_PER_S = 1e6;

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  registerLineMetrics(registers, sources.exchange);
  registerServerMetrics(registers, sources);
  registerProcessMetrics(registers, sources);
  const requests = new Histogram({
    name: "http_request_duration_seconds",
    help: "From the request's headers to the answer's",
    labelNames: ["method", "route", "code"],
    buckets: REQUEST_BUCKETS_S,
    registers,
  });
  const events = new Counter({
    name: "dahdi_phone_events_total",
    help: "Events told to clients, by type",
    labelNames: ["type"],
    registers,
  });
  const latency = new Histogram({
    name: "dahdi_phone_event_latency_seconds",
    help: "From when the I/O thread told an event until it stood in the log, ready for every client",
    buckets: EVENT_BUCKETS_S,
    registers,
  });
  return {
    text: () => registry.metrics(),
    requestAnswered: (method, route, status, seconds) =>
      requests.observe({ method, route, code: String(status) }, seconds),
    eventPublished: (type, latencySeconds) => {
      events.inc({ type });
      latency.observe(latencySeconds);
    },
  };
}

type Readable = number | null | Promise<number>;

function gauge(registers: Registry[], name: string, help: string, read: () => Readable): void {
  new Gauge({
    name,
    help,
    registers,
    async collect() {
      const value = await read();
      if (value !== null) this.set(value);
    },
  });
}

function counter(registers: Registry[], name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function registerServerMetrics(registers: Registry[], sources: MetricSources): void {
  const { exchange, eventLogStatus, recordings, webhooks } = sources;
  const engine = () => exchange.diagnostics(exchange.defaultLine).engine;
  new Gauge({
    name: "dahdi_phone_build_info",
    help: "1, with the version as a label",
    labelNames: ["version"],
    registers,
  }).set({ version: sources.version }, 1);
  counter(registers, "dahdi_phone_io_wakeups_total", "Times the I/O thread woke up", () => engine().wakeups);
  counter(
    registers,
    "dahdi_phone_native_events_lost_total",
    "Events of the I/O thread that were lost because the program stood still",
    () => engine().events_lost,
  );
  counter(
    registers,
    "dahdi_phone_watchdog_trips_total",
    "Times that the program stood still for so long that the I/O thread stopped all bells",
    () => engine().watchdog_trips,
  );
  counter(
    registers,
    "dahdi_phone_log_lost_lines_total",
    "Lines of the log that were lost because its disk or its reader did not take them",
    sources.logLinesLost,
  );
  gauge(
    registers,
    "dahdi_phone_io_wake_late_max_seconds",
    "The latest that the I/O thread ever woke up",
    () => engine().max_wake_late_ms / 1000,
  );
  gauge(registers, "dahdi_phone_io_realtime", "1: the I/O thread has real-time priority", () =>
    Number(engine().realtime),
  );
  gauge(registers, "dahdi_phone_websocket_clients", "Connected WebSocket clients", sources.websocketClients);
  gauge(
    registers,
    "dahdi_phone_event_stream_clients",
    "Connected event streams (SSE)",
    sources.eventStreamClients,
  );
  gauge(registers, "dahdi_phone_event_log_on_disk", "1: events outlive a restart", () =>
    Number(eventLogStatus().storage === "disk"),
  );
  gauge(
    registers,
    "dahdi_phone_event_log_waiting_events",
    "Events that are not on the disk yet",
    () => eventLogStatus().waiting_events,
  );
  gauge(registers, "dahdi_phone_event_log_bytes", "Size of the event log", () => eventLogStatus().used_bytes);
  gauge(
    registers,
    "dahdi_phone_recordings",
    "Recordings that are kept",
    async () => (await recordings.list(null)).length,
  );
  gauge(registers, "dahdi_phone_recordings_bytes", "Size of all recordings", async () =>
    (await recordings.list(null)).reduce((sum, { bytes }) => sum + bytes, 0),
  );
  new Counter({
    name: "dahdi_phone_webhook_delivered_total",
    help: "Events that an endpoint has taken",
    labelNames: ["webhook"],
    registers,
    collect() {
      this.reset();
      for (const { webhook, delivered } of webhooks.map((each) => each.status()))
        this.inc({ webhook: String(webhook) }, delivered);
    },
  });
  new Gauge({
    name: "dahdi_phone_webhook_failed_attempts",
    help: "Attempts that failed since the last that did not",
    labelNames: ["webhook"],
    registers,
    collect() {
      for (const { webhook, failed_attempts } of webhooks.map((each) => each.status()))
        this.set({ webhook: String(webhook) }, failed_attempts);
    },
  });
  new Gauge({
    name: "dahdi_phone_webhook_parked",
    help: "1: given up until POST /webhooks/resume",
    labelNames: ["webhook"],
    registers,
    collect() {
      for (const { webhook, state } of webhooks.map((each) => each.status()))
        this.set({ webhook: String(webhook) }, Number(state === "parked"));
    },
  });
}

/** By the names that Prometheus' client libraries share. */
function registerProcessMetrics(registers: Registry[], { startedAtMs }: MetricSources): void {
  counter(registers, "process_cpu_seconds_total", "User and system CPU time", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / US_PER_S;
  });
  gauge(registers, "process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  gauge(registers, "process_start_time_seconds", "Start, Unix time", () => startedAtMs / 1000);
  gauge(registers, "process_open_fds", "Open file descriptors", () => openDescriptors());
}

function openDescriptors(): number | null {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return null; // no descriptor left to look with
  }
}
