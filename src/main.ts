/** The composition root: picks the card, wires the rooms together, traps signals. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { version } from "../package.json";
import { chosenScheme } from "./audio/caller_id/scheme";
import { KEEPING_HELP, type KeepingCommand, keepingCommand } from "./backup/arguments";
import { BackupError, backup, restore } from "./backup/backup";
import { banner } from "./banner";
import {
  type CommandLine,
  type DoctorArguments,
  HELP,
  parseCommandLine,
  type ReplayArguments,
  type ServeArguments,
  type TokenArguments,
  UsageError,
} from "./command_line";
import { ConfigEditor } from "./config/editor";
import { replaceFile } from "./config/file";
import {
  ConfigError,
  DEFAULT_CONFIG_PATH,
  defaultConfig,
  loadConfig,
  maskedConfig,
  parseConfig,
} from "./config/load";
import type { Patch } from "./config/patch";
import { RunningConfig } from "./config/running";
import type { Config, MessageLamp } from "./config/schema";
import { administeredDirectory, stateDirectory } from "./config/state_dir";
import { hotlineRequest } from "./config/streams";
import type { ReadConfig } from "./doctor/configuration";
import { examine } from "./doctor/doctor";
import { linuxSystem } from "./doctor/linux";
import { machineReport } from "./doctor/machine_report";
import { jsonReport, summary, textReport } from "./doctor/report";
import { selfTest } from "./doctor/self_test";
import { VmwiLamp } from "./driver/abi.gen";
import { DriverEngine } from "./driver/engine";
import { errnoName } from "./driver/faults";
import { loadShim } from "./driver/library";
import { probeChannel } from "./driver/probe";
import { Pump } from "./driver/pump";
import { EventBus } from "./events/bus";
import { createJournal } from "./events/create_journal";
import { EventLog } from "./events/event_log";
import { startWebhooks } from "./events/webhooks/start_webhooks";
import { systemClock } from "./exchange/clock";
import type { LineRules, Publish } from "./exchange/line_runner";
import { type LineSetup, PhoneExchange } from "./exchange/phone_exchange";
import { replayFile } from "./flight/replay_command";
import { NO_FLIGHT, startFlight } from "./flight/start_flight";
import { createApp, type Sockets } from "./http/app";
import type { HttpDependencies } from "./http/endpoint";
import { createMetrics } from "./http/metrics/metrics";
import { EventStreams } from "./http/sse/event_streams";
import { AudioSockets } from "./http/ws/audio_sockets";
import { EventSockets } from "./http/ws/event_sockets";
import { createLogs, type Logs } from "./observe/log";
import { logEvent } from "./observe/log_event";
import { FlacFiles } from "./recordings/flac_file";
import { RecordingStore } from "./recordings/store";
import { type Secured, secure } from "./secured";
import { TlsError } from "./security/tls_identity";
import { TokenFile, TokenFileError } from "./security/token_file";
import { TokenError } from "./security/token_registry";
import { Prompts } from "./sounds/prompts";
import { SoundSources } from "./sounds/sound_sources";
import { Speech, type SpeechOptions } from "./sounds/speech";
import { UrlSounds } from "./sounds/url_sounds";
import { StreamBook, type StreamBookOptions } from "./streams/stream_book";
import { planStream } from "./streams/stream_request";
import { runTokenCommand } from "./token_command";

/** Nothing typed was wrong, but it cannot start: a port in use, a file that is not there. */
const EXIT_FAILED = 1;
/** <sysexits.h> EX_USAGE and EX_CONFIG: systemd shows them by name. */
const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;
/** Requests under way may finish for this long. */
const STOP_GRACE_MS = 1500;
/** And recordings be closed. */
const CLOSE_GRACE_MS = 2000;
/** An expired token's connections last no longer than this. */
const EXPIRY_LOOK_MS = 5000;
const MIB = 1024 * 1024;
const NS_PER_S = 1e9;

const LAMP_BITS: Record<MessageLamp, number> = {
  none: 0,
  line_reversal: VmwiLamp.LineReversal,
  high_voltage_dc: VmwiLamp.HighVoltageDc,
  neon: VmwiLamp.Neon,
};
/** Of a file beside this one. Bun.main: the bundler makes import.meta.url the path of the machine that built. */
const threadUrl = (file: string): string => new URL(file, Bun.pathToFileURL(Bun.main)).href;

const COMPANDING = { none: 0, mulaw: 1, alaw: 2 } as const;

function createEngine(config: Config, shim: Awaited<ReturnType<typeof loadShim>>): DriverEngine {
  const engine = new DriverEngine(shim, "realtime");
  const { dahdi, simulator } = config;
  engine.setOption("FlashMaxMs", dahdi.flash_max_ms);
  engine.setOption("EchoCancel", dahdi.echo_cancel_taps);
  engine.setOption("RxGainCdb", Math.round(dahdi.rx_gain_db * 100));
  engine.setOption("TxGainCdb", Math.round(dahdi.tx_gain_db * 100));
  engine.setOption("Buffers", dahdi.buffer_size);
  engine.setOption("WatchdogMs", dahdi.watchdog_seconds * 1000);
  engine.setOption("DtmfExplain", config.dtmf.explain ? 1 : 0);
  engine.setOption("VmwiLamps", LAMP_BITS[config.message_waiting.lamp]);
  engine.setOption("SimEchoCdb", Math.round(simulator.echo_return_loss_db * 100));
  engine.setOption("SimNoiseCdbm0", Math.round(simulator.noise_dbm0 * 100));
  engine.setOption("SimCompanding", COMPANDING[simulator.companding]);
  return engine;
}

/** A card's lines by their channels; simulated ones count from 1. */
function lineSetups(config: Config, simulatePorts: number | null): LineSetup[] {
  if (simulatePorts === null) return config.dahdi.channels.map((line) => ({ line, device: config.dahdi.device }));
  return Array.from({ length: simulatePorts }, (_, i) => ({ line: i + 1, device: null }));
}

function lineRules({ caller_id, dahdi, dial_tone, off_hook_timeout, recording, tone_zone }: Config): LineRules {
  const { seconds, reorder_seconds, howler_seconds } = off_hook_timeout;
  return {
    maxRingMs: dahdi.max_ring_seconds * 1000,
    maxRecordingMs: recording.max_duration_seconds * 1000,
    callerIdScheme: chosenScheme(caller_id.scheme, tone_zone),
    settings: {
      dialTone: dial_tone.enabled ? { timeoutMs: dial_tone.timeout_seconds * 1000 } : null,
      offHookTimeout:
        seconds > 0
          ? { afterMs: seconds * 1000, reorderMs: reorder_seconds * 1000, howlerMs: howler_seconds * 1000 }
          : null,
    },
  };
}

/** path: the file that was read; without one a server of real telephones makes the usual one. */
function configEditor(running: RunningConfig, line: ServeArguments, path: string | null): ConfigEditor {
  return new ConfigEditor({
    running,
    path: path ?? (line.simulatePorts === null ? DEFAULT_CONFIG_PATH : null),
    read: (file) => (existsSync(file) ? readFileSync(file, "utf8") : null),
    write: replaceFile,
    parse: (text, file) => parseConfig(text, file, process.env, line),
  });
}

function speechOptions({ speech }: Config): SpeechOptions {
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
function hotlines(
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

interface Listener {
  port: number;
  stop(closeActive: boolean): Promise<void>;
}

function listen(dependencies: HttpDependencies, sockets: Sockets, hostname: string, port: number): Listener {
  const app = createApp(dependencies, sockets);
  try {
    app.listen({ hostname, port });
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    const why =
      code === "EADDRINUSE"
        ? `port ${port} is in use: stop the other program, or choose another port (--rest-port, --websocket-port)`
        : `cannot listen on ${hostname} port ${port} (${code || "unknown error"})`;
    throw new StartError(why);
  }
  const { server } = app;
  if (!server?.port) throw new StartError(`cannot listen on ${hostname} port ${port}`);
  return { port: server.port, stop: (closeActive) => server.stop(closeActive) };
}

class StartError extends Error {}

function secured(config: Config, stateFolder: string | null, logs: Logs): Secured {
  try {
    return secure(config, stateFolder, logs);
  } catch (error) {
    if (error instanceof TlsError || error instanceof TokenFileError) throw new StartError(error.message);
    throw error;
  }
}

function openLogs(logging: Config["logging"]): ReturnType<typeof createLogs> {
  const { max_size_mb, output } = logging;
  const journal = output === "stderr" && process.env.JOURNAL_STREAM !== undefined;
  try {
    return createLogs({ ...logging, maxBytes: max_size_mb * MIB, journal });
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new StartError(`cannot write the log ${output} (${code}): choose another place (logging.output)`);
  }
}

async function serve(line: ServeArguments): Promise<void> {
  const { config, path } = await loadConfig(line.configPath, process.env, line);
  const { logs, control: logControl } = openLogs(config.logging);
  const running = new RunningConfig(config, (next) => {
    logControl.setLevels(next.logging);
    exchange.rulesChanged();
  });
  const editor = configEditor(running, line, path);
  const startedAtMs = Date.now();
  const stateFolder = stateDirectory(config.state_dir, process.env, homedir());
  const { guard, tokens, origins, seats, tls } = secured(config, stateFolder, logs);
  const bus = new EventBus(null, config.events.log_size);
  const journal = createJournal({
    bus,
    folder: stateFolder,
    maxBytes: config.events.max_bytes,
    maxAgeDays: config.events.max_age_days,
    // tools/dist.ts puts the thread into the executable by this name.
    threadUrl: threadUrl("./events/log_thread.ts"),
    log: logs.events,
  });
  const events = new EventLog(bus, journal);
  const setups = lineSetups(config, line.simulatePorts);
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
  const dialled = hotlines(config, setups, path);
  const engine = createEngine(config, await loadShim());
  const clock = systemClock(() => engine.nowNs());
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
    recording: { store: recordings, newRecordingId: newId },
  });
  const verbs = flight.watch(exchange);
  const prompts = new Prompts({
    folder: stateFolder && join(stateFolder, "prompts"),
    maxDurationMs: config.prompts.max_duration_seconds * 1000,
    minFreeBytes: config.prompts.min_free_mb * MIB,
    maxTotalBytes: config.prompts.max_total_mb * MIB,
    log: logs.server,
  });
  const speech = new Speech(speechOptions(config));
  const sounds = new SoundSources({
    urls: new UrlSounds({
      maxBytes: config.sounds.max_bytes,
      timeoutMs: config.sounds.timeout_seconds * 1000,
      allowPrivate: config.sounds.allow_private_addresses,
      userAgent: `dahdi-phone-api/${version}`,
      // Loaded when the first is asked for: the start without TLS and name resolution is faster.
      exchange: async (request) => (await import("./network/http_exchange")).httpExchange(request),
    }),
    prompts,
    speech,
    tone: (tone) => exchange.toneSource({ tone }),
  });
  const forSockets = {
    exchange: verbs,
    log: logs.websocket,
    maxClients: config.api.max_connections,
    seats,
    pingIntervalS: config.websocket.ping_interval,
  };
  const sockets: Sockets = {
    events: new EventSockets({ ...forSockets, events }),
    audio: new AudioSockets({ ...forSockets, nowMs: () => performance.now() }),
  };
  const { stream } = config;
  const bots = new StreamBook({
    exchange: verbs,
    // Loaded when the first is dialled: the start without TLS and name resolution is faster.
    connect: async (options, events) => (await import("./streams/bot_socket")).connectBot(options, events),
    newStreamId: () => Bun.randomUUIDv7(),
    nowMs: Date.now,
    tell: (number, body) => publish(number, Date.now(), 0, body),
    policy: { allowPrivate: stream.allow_private_addresses, allowLinkLocal: stream.allow_link_local_addresses },
    connectTimeoutMs: stream.connect_timeout_seconds * 1000,
    pingMs: stream.ping_seconds * 1000,
    twilioAccountSid: stream.twilio_account_sid,
    twilioAuthToken: stream.twilio_auth_token,
    userAgent: `dahdi-phone-api/${version}`,
    hotlines: dialled,
    log: logs.events,
  });
  const webhooks = await startWebhooks(config.webhooks, {
    events,
    cursors: journal,
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
    guard,
    tokens,
    tls,
    // As of the log's thread.
    flacFiles: new FlacFiles(threadUrl("./recordings/flac_thread.ts"), config.api.timeout * 1000),
    sounds,
    prompts,
    speech,
    metrics,
    recentLog: () => logControl.recent(),
    machine: () => {
      const system = linuxSystem((device, channel) => probeChannel(engine.shim, device, channel));
      return machineReport(system, version, () =>
        examine({
          system,
          read: { config, path, problem: null },
          simulated: line.simulatePorts !== null,
          selfTest: null,
        }),
      );
    },
    logs,
    version,
    startedAtMs,
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
    listeners.push(listen(dependencies, sockets, host, rest_port));
    listeners.push(listen(dependencies, sockets, host, websocket_port));
  } catch (error) {
    engine.destroy();
    throw error;
  }
  // Requests are answered already; the lines' first events need to know their ids.
  journal.start();
  await bus.begun;
  engine.start();
  const pump = new Pump(
    engine,
    (event) => {
      flight.driver(event);
      exchange.handle(event);
    },
    () => {
      const { lost, trips } = exchange.tellStandstills();
      if (trips > 0) logs.driver.error("the program stood still: the I/O thread stopped all bells", { trips });
      if (lost > 0) logs.driver.error("the program stood still for so long that events were lost", { lost });
    },
  );
  await pump.start();

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logs.server.info("stopping", { signal });
    engine.shim.dshim_sd_notify(new TextEncoder().encode("STOPPING=1\0"));
    sockets.events.closeAll();
    sockets.audio.closeAll();
    streams.closeAll();
    exchange.endWaits();
    const finished = Promise.all(listeners.map((listener) => listener.stop(false)));
    await Promise.race([finished, Bun.sleep(STOP_GRACE_MS)]);
    await Promise.race([Promise.all(listeners.map((listener) => listener.stop(true))), Bun.sleep(100)]);
    // A disk that stands still is not waited for: what it has is mended at the next start.
    await Promise.race([bots.close(), Bun.sleep(CLOSE_GRACE_MS)]);
    await Promise.race([Promise.all([exchange.closeRecordings(), flight.settled()]), Bun.sleep(CLOSE_GRACE_MS)]);
    pump.stop();
    engine.destroy();
    for (const webhook of webhooks) webhook.stop();
    await journal.close();
    process.exit(0);
  };
  const reload = async (): Promise<void> => {
    logControl.reopen();
    try {
      const { applied, restart_required } = await editor.reload();
      logs.server.info("reloaded", { applied: applied.join(" "), restart_required: restart_required.join(" ") });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      logs.server.error("the configuration stays as it was", { error: error.message });
    }
  };
  // logrotate, and systemctl reload.
  process.on("SIGHUP", () => void reload());
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));

  const [rest, websocket] = listeners as [Listener, Listener];
  for (const { port } of listeners) origins.ownPort(port);
  const { realtime, realtime_error } = engine.engineStats();
  logs.server.info("serving", {
    host,
    rest_port: rest.port,
    websocket_port: websocket.port,
    lines: setups.length,
    simulated: line.simulatePorts !== null,
    config: path,
    realtime: realtime === 1,
    tokens: tokens.required,
    ...(tls ? { tls_sha256: tls.fingerprint } : {}),
  });
  if (realtime !== 1) {
    logs.driver.info("the I/O thread runs without real-time priority", {
      error: errnoName(realtime_error),
      fix: "give the service LimitRTPRIO=10",
    });
  }
  if (line.announce) {
    const announced = { rest_port: rest.port, websocket_port: websocket.port, pid: process.pid };
    process.stdout.write(`${JSON.stringify(announced)}\n`);
  } else if (process.stdout.isTTY || line.simulatePorts !== null) {
    process.stdout.write(
      banner({
        host,
        restPort: rest.port,
        websocketPort: websocket.port,
        simulated: line.simulatePorts !== null,
        fingerprint: tls?.fingerprint ?? null,
        tokens: tokens.required,
      }),
    );
  }
  engine.shim.dshim_sd_notify(new TextEncoder().encode("READY=1\0"));
}

async function readConfig(line: DoctorArguments): Promise<ReadConfig> {
  try {
    return { ...(await loadConfig(line.configPath, process.env, line)), problem: null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: defaultConfig(), path: line.configPath, problem: error.message };
  }
}

/** Returns the exit code. */
async function doctor(line: DoctorArguments): Promise<number> {
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
  return summary(findings).errors > 0 ? EXIT_FAILED : 0;
}

async function replay({ path, json }: ReplayArguments): Promise<number> {
  const { code, out, complaint } = await replayFile(path, json, await loadShim());
  process.stdout.write(out);
  if (complaint !== "") process.stderr.write(`dahdi-phone-api: ${complaint}\n`);
  return code;
}

async function token(line: TokenArguments): Promise<void> {
  // On 127.0.0.1 a configuration without tokens is right: here they are made.
  const { config } = await loadConfig(line.configPath, process.env, {
    host: "127.0.0.1",
    restPort: null,
    websocketPort: null,
  });
  const folder = administeredDirectory(config.state_dir, process.env, homedir());
  if (folder === null) throw new StartError("there is no folder to keep tokens in: set state_dir");
  try {
    const { out, note } = runTokenCommand(line, new TokenFile(folder), Date.now());
    process.stderr.write(note);
    process.stdout.write(out);
  } catch (error) {
    if (error instanceof TokenFileError || error instanceof TokenError) throw new StartError(error.message);
    throw error;
  }
}

const NOTHING_OVER_IT = { host: null, restPort: null, websocketPort: null };

async function keeping(line: KeepingCommand): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (line.help) return say(KEEPING_HELP[line.command].trimEnd());
  const configPath = line.configPath ?? DEFAULT_CONFIG_PATH;
  if (line.command === "config check") {
    const { path } = await loadConfig(line.configPath, process.env, NOTHING_OVER_IT);
    return say(`${path ?? `${DEFAULT_CONFIG_PATH} is not there, and what is so without it`} is right`);
  }
  // A configuration that is wrong is kept all the same, and is no reason not to put a right one in its place.
  const { config } = await loadConfig(line.configPath, process.env, NOTHING_OVER_IT).catch(() => ({
    config: defaultConfig(),
  }));
  const stateFolder = administeredDirectory(config.state_dir, process.env, homedir());
  if (stateFolder === null) throw new StartError("there is no state folder: set state_dir");
  const places = { configPath, stateFolder, version, nowMs: Date.now(), say };
  if (line.command === "backup") await backup(line.file, line.recordings, places);
  else {
    const checkConfig = (text: string, path: string) => parseConfig(text, path, process.env, NOTHING_OVER_IT);
    await restore(line.file, { ...places, checkConfig });
  }
}

async function main(): Promise<void> {
  let command: CommandLine;
  try {
    const kept = keepingCommand(process.argv.slice(2));
    if (kept !== null) return await keeping(kept);
    command = parseCommandLine(process.argv.slice(2));
    if (command.command === "help") process.stdout.write(HELP);
    else if (command.command === "version") process.stdout.write(`${version}\n`);
    else if (command.command === "token") await token(command);
    else if (command.command === "doctor") process.exitCode = await doctor(command);
    else if (command.command === "replay") process.exitCode = await replay(command);
    else await serve(command);
  } catch (error) {
    const known: [unknown, number][] = [
      [UsageError, EXIT_USAGE],
      [ConfigError, EXIT_CONFIG],
      [StartError, EXIT_FAILED],
      [BackupError, EXIT_FAILED],
    ];
    const [, code] = known.find(([kind]) => error instanceof (kind as new () => Error)) ?? [null, null];
    if (code === null) throw error;
    process.stderr.write(`dahdi-phone-api: ${(error as Error).message}\n`);
    process.exit(code as number);
  }
}

void main();
