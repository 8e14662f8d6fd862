/** `dahdi-phone-api serve`: picks the card and wires the rooms together. */
import { homedir } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json";
import type { ServeArguments } from "../command_line";
import { loadConfig, maskedConfig } from "../config/load";
import type { Patch } from "../config/patch";
import { RunningConfig } from "../config/running";
import { stateDirectory } from "../config/state_dir";
import type { DriverEvent } from "../driver/decode";
import { cString, loadShim } from "../driver/library";
import { Pump } from "../driver/pump";
import { EventBus } from "../events/bus";
import { createJournal } from "../events/create_journal";
import { EventLog } from "../events/event_log";
import { startWebhooks } from "../events/webhooks/start_webhooks";
import { systemClock } from "../exchange/clock";
import type { Publish } from "../exchange/line_runner";
import { PhoneExchange } from "../exchange/phone_exchange";
import { NO_FLIGHT, startFlight } from "../flight/start_flight";
import { createApp, type Sockets } from "../http/app";
import { documentsOf } from "../http/docs/documents";
import type { HttpDependencies } from "../http/endpoint";
import { createMetrics } from "../http/metrics/metrics";
import { EventStreams } from "../http/sse/event_streams";
import { AudioSockets } from "../http/ws/audio_sockets";
import { EventSockets } from "../http/ws/event_sockets";
import { logEvent } from "../observe/log_event";
import { startWatchdog } from "../observe/watchdog";
import { FlacFiles } from "../recordings/flac_file";
import { RecordingStore } from "../recordings/store";
import { announce } from "./announce";
import { hotlines, openBots } from "./bots";
import { configEditor } from "./config_editor";
import { guardDescriptors } from "./descriptors";
import { lifecycle } from "./lifecycle";
import { createEngine, lineRules, lineSetups } from "./lines";
import { type Listener, listen } from "./listen";
import { MessageCounts } from "./message_counts";
import { openLogs } from "./open_logs";
import { secured } from "./secured";
import { openSounds } from "./sounds";
import { requireStartable } from "./start_check";
import { threadUrl } from "./thread_url";

/** An expired token's connections last no longer than this. */
const EXPIRY_LOOK_MS = 5000;
const MIB = 1024 * 1024;
const NS_PER_S = 1e9;

export async function serve(line: ServeArguments): Promise<void> {
  const loaded = await loadConfig(line.configPath, process.env, line);
  const { config, path } = loaded;
  const setups = lineSetups(config, line.simulatePorts);
  const served = setups.map((setup) => setup.line);
  await requireStartable(loaded, served);
  const { logs, control: logControl } = openLogs(config.logging);
  const running = new RunningConfig(config, (next) => {
    logControl.setLevels(next.logging);
    exchange.rulesChanged();
  });
  const editor = configEditor(running, line, path, served);
  const startedAtMs = Date.now();
  const stateFolder = stateDirectory(config.state_dir, process.env, homedir());
  const { guard, tokens, origins, seats, tls } = await secured(config, stateFolder, logs);
  const bus = new EventBus(null, config.events.log_size);
  const journal = createJournal({
    bus,
    folder: stateFolder,
    maxBytes: config.events.max_bytes,
    maxAgeDays: config.events.max_age_days,
    threadUrl: threadUrl("events/log_thread"),
    log: logs.events,
  });
  const events = new EventLog(bus, journal);
  const recordings = new RecordingStore({
    folder: stateFolder && join(stateFolder, "recordings"),
    limits: () => {
      const { min_free_mb, max_total_mb } = running.acting.recording;
      return { minFreeBytes: min_free_mb * MIB, maxTotalBytes: max_total_mb * MIB };
    },
    log: logs.server,
  });
  const publish: Publish = (number, atMs, nativeNs, body) => {
    flight.published(number, atMs, body);
    const event = bus.publish(number, atMs, nativeNs, body);
    // What JavaScript made itself (0) came from nowhere.
    metrics.eventPublished(body.type, nativeNs === 0 ? 0 : (engine.nowNs() - nativeNs) / NS_PER_S);
    logEvent(logs, event.line, body);
  };
  const engine = createEngine(config, await loadShim());
  const deliver = (event: DriverEvent): void => {
    flight.driver(event);
    exchange.handle(event);
  };
  const clock = systemClock(
    () => engine.nowNs(),
    () => engine.drain(deliver),
  );
  const conduct = {
    defaultLine: line.simulatePorts === null ? config.dahdi.channel : 1,
    toneZone: config.tone_zone,
    callProgress: config.call_progress.enabled,
  };
  const { flash_max_ms } = config.dahdi;
  const { enabled, minutes, audio } = config.flight_recorder;
  const flight = enabled
    ? startFlight({
        minutes,
        sound: audio,
        version,
        lines: setups,
        settings: () => {
          const { settings, ...rules } = lineRules(running.acting);
          const dtmfExplain = config.dtmf.explain;
          return { ...conduct, ...rules, lineSettings: settings, flashMaxMs: flash_max_ms, dtmfExplain };
        },
        nowNs: () => engine.nowNs(),
        nowMs: () => clock.nowMs(),
        after: (ms, call) => void clock.after(ms, call),
        folder: stateFolder && join(stateFolder, "flight"),
        log: logs.server,
      })
    : NO_FLIGHT;
  const messageCounts = new MessageCounts(stateFolder, logs.server);
  const newId = (): string => flight.id(Bun.randomUUIDv7());
  const exchange = new PhoneExchange({
    ...conduct,
    engine,
    lines: setups,
    clock,
    publish: (number, atMs, nativeNs, body) => {
      publish(number, atMs, nativeNs, body);
      bots.told(number, body);
    },
    newPlaybackId: newId,
    newBridgeId: newId,
    newGatherId: newId,
    newAnnounceId: newId,
    rules: () => lineRules(running.acting),
    messagesKept: (number, count) => messageCounts.keep(number, count),
    recording: { store: recordings, newRecordingId: newId },
  });
  const verbs = flight.watch(exchange);
  const { sounds, prompts, speech } = openSounds(config, stateFolder, exchange, logs.server);
  const forSockets = {
    exchange: verbs,
    log: logs.websocket,
    maxClients: config.api.max_connections,
    seats,
    pingIntervalS: config.websocket.ping_interval,
    nowMs: () => performance.now(),
  };
  const sockets: Sockets = {
    events: new EventSockets({ ...forSockets, events }),
    audio: new AudioSockets(forSockets),
  };
  const bots = openBots(config, {
    exchange: verbs,
    hotlines: hotlines(config),
    tell: (number, body) => publish(number, clock.nowMs(), 0, body),
    log: logs.events,
  });
  const webhooks = await startWebhooks(config.webhooks, {
    events,
    cursors: journal.cursors,
    userAgent: `dahdi-phone-api/${version}`,
    log: logs.events,
  });
  const streams = new EventStreams({ events, seats, log: logs.rest, maxClients: config.api.max_connections });
  const closeRevoked = (): void => {
    const nowMs = Date.now();
    for (const clients of [sockets.events, sockets.audio, streams])
      clients.closeRevoked((token) => tokens.isCurrent(token, nowMs));
  };
  tokens.onChange(closeRevoked);
  setInterval(closeRevoked, EXPIRY_LOOK_MS).unref();
  const metrics = createMetrics({
    exchange,
    version,
    startedAtMs,
    eventLogStatus: () => journal.status(),
    webhooks,
    recordings,
    websocketClients: () => sockets.events.count + sockets.audio.count,
    eventStreamClients: () => streams.count,
  });
  const dependencies: HttpDependencies = {
    exchange: verbs,
    flight: flight.recorder,
    events,
    eventLogStatus: () => journal.status(),
    streams,
    bots,
    webhooks,
    recordings,
    messageCounts,
    guard,
    tokens,
    tls,
    // As of the log's thread.
    flacFiles: new FlacFiles(threadUrl("recordings/flac_thread"), config.api.timeout * 1000),
    sounds,
    prompts,
    speech,
    metrics,
    recentLog: () => logControl.recent(),
    machine: async () => {
      const { machineOf } = await import("./machine_of");
      return machineOf({ shim: engine.shim, config, path, simulated: line.simulatePorts !== null });
    },
    logs,
    version,
    documents: documentsOf(threadUrl("http/docs/documents_thread"), {
      version,
      simulated: exchange.handsets !== null,
    }),
    config: { shown: () => maskedConfig(running.acting), patch: (patch) => editor.patch(patch as Patch) },
    limits: {
      maxBodyBytes: config.api.max_body_bytes,
      timeoutS: config.api.timeout,
      maxWebsocketClients: config.api.max_connections,
      maxMessageBytes: config.websocket.max_message_size,
      pingTimeoutS: config.websocket.ping_timeout,
    },
  };
  const { host, rest_port, websocket_port } = config.server;
  const listeners: Listener[] = [];
  try {
    const app = createApp(dependencies, sockets);
    for (const port of [rest_port, websocket_port]) listeners.push(listen(app, dependencies, host, port));
  } catch (error) {
    engine.destroy();
    throw error;
  }
  // Requests are answered already; the lines' first events need to know their ids.
  journal.start();
  await bus.begun;
  engine.start();
  // A lamp is told once its line is up and idle.
  for (const [number, count] of messageCounts.waiting) {
    if (exchange.lines.includes(number)) verbs.messageWaiting(number, { waiting: true, count });
  }
  const pump = new Pump(engine, deliver, () => {
    const { lost, trips } = exchange.tellStandstills();
    if (trips > 0) logs.driver.error("the program stood still: the I/O thread stopped all bells", { trips });
    if (lost > 0) logs.driver.error("the program stood still for so long that events were lost", { lost });
  });
  await pump.start();

  const notify = (state: string): void => void engine.shim.dshim_sd_notify(cString(state));
  const stopWatchdog = startWatchdog(process.env, process.pid, {
    // The I/O thread never sleeps longer than a second.
    progress: () => engine.engineStats().wakeups,
    ping: () => notify("WATCHDOG=1"),
  });
  lifecycle({
    logs,
    logControl,
    editor,
    notify,
    stopWatchdog,
    exchange,
    clients: [sockets.events, sockets.audio, streams],
    listeners,
    settled: () =>
      Promise.all([bots.close(), exchange.closeRecordings(), flight.settled(), messageCounts.saved()]),
    end: async () => {
      pump.stop();
      engine.destroy();
      for (const webhook of webhooks) webhook.stop();
      await journal.close();
    },
  });

  for (const { port } of listeners) origins.ownPort(port);
  const ports = listeners.map(({ port }) => port) as [number, number];
  guardDescriptors({ shim: engine.shim, ports, log: logs.server });
  announce({
    line,
    config,
    path,
    ports,
    lines: setups.length,
    engine: engine.engineStats(),
    tokens: tokens.required,
    fingerprint: tls?.fingerprint ?? null,
    logs,
  });
  notify("READY=1");
}
