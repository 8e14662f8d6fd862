/**
 * Live audio by WebSocket: binary frames are sound, text frames are control, both ways. Every connection is a session
 * of the exchange of its own, and none can delay another: what a client does not read is dropped for it, and counted.
 */
import { TELEPHONE_RATE_HZ } from "../../audio/source";
import type { AudioEndReason } from "../../exchange/live_audio";
import { type Exchange, Refusal } from "../../exchange/verbs";
import type { Log } from "../../observe/log";
import type { Token } from "../../security/token";
import { queryInput, validated } from "../input";
import { Problem, toProblem } from "../problem";
import { tooManyClients } from "../refusals";
import { AUDIO_CONTROLS, type AudioControl, AudioQuery } from "../schema_audio";
import type { Seats } from "../seats";
import {
  type AudioClient,
  type AudioSocket,
  type AudioSocketRequest,
  newClient,
  started,
  statsOf,
} from "./audio_client";

const SAMPLES_PER_MS = TELEPHONE_RATE_HZ / 1000;
const BLOCK_MS = 20;
/** A second of sound waits for a client that does not read; then frames are dropped. */
const CONGESTED_MS = 1000;
/** Of one that does not even read the answers to what it asks. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** Speech sent in frames of 20 ms, each with a mark behind it, as fast as it comes: a minute of it a second. */
const MAX_FRAMES_A_SECOND = 5000;
/** Of those that are answered at once. */
const MAX_TEXTS_A_SECOND = 100;
/** RFC 3550, 6.4.1: by what part an arrival changes the mean. */
const JITTER_GAIN = 1 / 16;
/** Close codes from 4000 on are ours: 4000 and the status of HTTP. */
const REFUSED = 4000;

export interface AudioSocketsOptions {
  exchange: Exchange;
  log: Log;
  maxClients: number;
  seats: Seats;
  pingIntervalS: number;
  /** Monotonic. */
  nowMs: () => number;
}

export class AudioSockets {
  readonly #clients = new Map<unknown, AudioClient>();
  readonly #pings: ReturnType<typeof setInterval>;

  constructor(private readonly options: AudioSocketsOptions) {
    this.#pings = setInterval(() => {
      for (const { socket } of this.#clients.values()) socket.ping();
    }, options.pingIntervalS * 1000);
    this.#pings.unref();
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Before the upgrade, so that what is refused gets an answer that can be read. */
  admit(
    line: number,
    query: Record<string, string | undefined>,
    { token, address }: Pick<AudioSocketRequest, "token" | "address">,
  ): AudioSocketRequest {
    const { format, frame_ms, mode, mix, when, buffer_ms, max_buffer_ms } = queryInput(AudioQuery, query);
    if (max_buffer_ms !== undefined && max_buffer_ms < (buffer_ms ?? 0) + BLOCK_MS) {
      const message = `must be ${BLOCK_MS} more than buffer_ms at least`;
      const errors = [{ field: "max_buffer_ms", message }];
      throw new Problem(422, "invalid_input", `max_buffer_ms ${message}.`, { errors });
    }
    const request: AudioSocketRequest = {
      token,
      address,
      line,
      format: format ?? "slin16",
      frameMs: frame_ms ?? BLOCK_MS,
      listen: mode !== "talk",
      talk: mode !== "listen",
      mixed: mix ?? false,
      when: when ?? "now",
      bufferMs: buffer_ms,
      maxBufferMs: max_buffer_ms,
    };
    if (this.#clients.size >= this.options.maxClients) {
      throw tooManyClients("There are too many WebSocket clients (api.max_connections).");
    }
    this.options.seats.check({ token, address });
    this.options.exchange.admitAudio(line, request);
    return request;
  }

  /** key: the same object for every call about one connection. */
  open(key: unknown, socket: AudioSocket, request: AudioSocketRequest): void {
    const client = newClient(socket, request, this.options.seats.take(request));
    this.#clients.set(key, client);
    const { line, listen, talk, mixed, when, frameMs, bufferMs, maxBufferMs } = request;
    try {
      client.session = this.options.exchange.openAudio(line, {
        listen,
        talk,
        mixed,
        when,
        frameBlocks: (frameMs / BLOCK_MS) as 1 | 2 | 3,
        ...(bufferMs === undefined ? {} : { targetMs: bufferMs }),
        ...(maxBufferMs === undefined ? {} : { maxMs: maxBufferMs }),
        started: () => this.#tell(key, client, started(request)),
        frame: (samples, lostBlocks) => this.#send(key, client, samples, lostBlocks),
        flow: (full) => this.#tell(key, client, { type: full ? "xoff" : "xon" }),
        closed: (reason) => this.#stopped(key, client, reason),
      });
    } catch (error) {
      // Somebody was quicker than the upgrade.
      const problem = error instanceof Refusal ? toProblem(error) : null;
      if (!problem) throw error;
      const { status, code, message: detail } = problem;
      this.#tell(key, client, { type: "refused", status, code, detail });
      this.#clients.delete(key);
      client.leaveSeat();
      socket.close(REFUSED + status, code);
      return;
    }
    this.options.log.debug("audio client connected", { line, clients: this.#clients.size });
  }

  /** Elysia has parsed what looked like JSON. */
  received(key: unknown, message: unknown): void {
    const client = this.#clients.get(key);
    if (!client) return;
    const nowMs = this.options.nowMs();
    if (nowMs - client.windowStartedAtMs >= 1000) {
      client.windowStartedAtMs = nowMs;
      client.framesInWindow = 0;
      client.textsInWindow = 0;
    }
    const control = message instanceof Uint8Array ? message : controlOf(message);
    const isAnswered = control instanceof Problem || ("type" in control && control.type === "stats");
    if (isAnswered) client.textsInWindow++;
    else client.framesInWindow++;
    if (client.framesInWindow > MAX_FRAMES_A_SECOND || client.textsInWindow > MAX_TEXTS_A_SECOND) {
      this.#drop(key, client, "too many frames");
    } else if (control instanceof Uint8Array) this.#talked(client, control, nowMs);
    else this.#control(key, client, control);
  }

  closed(key: unknown): void {
    const client = this.#clients.get(key);
    if (!client) return;
    this.#clients.delete(key);
    client.leaveSeat();
    client.session?.close();
    this.options.log.debug("audio client gone", { line: client.request.line, clients: this.#clients.size });
  }

  /** Tokens changed, or time went by. */
  closeRevoked(isCurrent: (token: Token | null) => boolean): void {
    for (const [key, client] of this.#clients) {
      if (!isCurrent(client.request.token)) this.#drop(key, client, "the token is no longer valid");
    }
  }

  closeAll(): void {
    clearInterval(this.#pings);
    for (const [key, client] of this.#clients) {
      this.#tell(key, client, { type: "stopped", reason: "server_stopping" });
      this.closed(key);
      client.socket.close(1001, "server is stopping");
    }
  }

  #talked(client: AudioClient, frame: Uint8Array, nowMs: number): void {
    const { sampleBytes, decode } = client.format;
    const bytes = client.half.length > 0 ? Buffer.concat([client.half, frame]) : frame;
    const whole = bytes.length - (bytes.length % sampleBytes);
    client.half = new Uint8Array(bytes.subarray(whole));
    const samples = decode(bytes.subarray(0, whole));
    client.framesIn++;
    client.samplesIn += samples.length;
    client.session?.talk(samples);
    if (client.arrivedAtMs !== null) {
      const difference = Math.abs(nowMs - client.arrivedAtMs - client.arrivedMs);
      client.jitterMs += (difference - client.jitterMs) * JITTER_GAIN;
    }
    client.arrivedAtMs = nowMs;
    client.arrivedMs = samples.length / SAMPLES_PER_MS;
  }

  #control(key: unknown, client: AudioClient, control: AudioControl | Problem): void {
    try {
      if (control instanceof Problem) throw control;
      if (control.type === "mark") {
        client.session?.mark(control.name, (name, cleared) =>
          this.#tell(key, client, { type: "mark", name, ...(cleared ? { cleared } : {}) }),
        );
      } else if (control.type === "clear") client.session?.clear();
      else this.#tell(key, client, statsOf(client));
    } catch (error) {
      const problem = toProblem(error);
      if (!problem) throw error;
      this.#tell(key, client, { type: "error", code: problem.code, detail: problem.message });
    }
  }

  #send(key: unknown, client: AudioClient, samples: Int16Array, lostBlocks: number): void {
    const { socket, format } = client;
    const lost = lostBlocks * BLOCK_MS * SAMPLES_PER_MS;
    client.lostSamples += lost;
    client.untoldSamples += lost;
    if (socket.getBufferedAmount() > CONGESTED_MS * SAMPLES_PER_MS * format.sampleBytes) {
      client.lostSamples += samples.length;
      client.untoldSamples += samples.length;
      return;
    }
    if (client.untoldSamples > 0) {
      this.#tell(key, client, { type: "lost", samples: client.untoldSamples });
      client.untoldSamples = 0;
    }
    socket.send(format.encode(samples));
    client.framesOut++;
    client.samplesOut += samples.length;
  }

  #tell(key: unknown, client: AudioClient, frame: Record<string, unknown>): void {
    if (this.#clients.get(key) !== client) return;
    if (client.socket.getBufferedAmount() > MAX_UNREAD_BYTES) this.#drop(key, client, "does not read");
    else client.socket.send(JSON.stringify(frame));
  }

  #stopped(key: unknown, client: AudioClient, reason: AudioEndReason): void {
    this.#tell(key, client, { ...statsOf(client), type: "stopped", reason });
    this.closed(key);
    client.socket.close(1000, reason);
  }

  #drop(key: unknown, client: AudioClient, why: string): void {
    this.closed(key);
    client.socket.close(1008, why);
  }
}

/** Elysia parses what begins with a brace; a space before it is JSON as well. */
function controlOf(message: unknown): AudioControl | Problem {
  try {
    const control: unknown = typeof message === "string" ? JSON.parse(message) : message;
    if (control !== null && typeof control === "object" && !Array.isArray(control)) return audioControl(control);
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  return new Problem(400, "malformed_json", 'A text frame must be a JSON object, such as {"type":"clear"}.');
}

/** By its type: a complaint about all three at once helps nobody. */
function audioControl(control: object): AudioControl {
  const type = "type" in control ? String(control.type) : "";
  const schema = Object.hasOwn(AUDIO_CONTROLS, type) ? AUDIO_CONTROLS[type as AudioControl["type"]] : null;
  if (schema) return validated(schema, control);
  const message = `must be one of ${Object.keys(AUDIO_CONTROLS).join(", ")}`;
  throw new Problem(422, "invalid_input", `type ${message}.`, { errors: [{ field: "type", message }] });
}
