/** A REST and WebSocket client that says what it expects. */
import { brokenAnswer } from "./promised_answers";
import { brokenPromise } from "./promised_frames";
import { PATIENCE_MS, type RunningServer } from "./server";

export type Json = Record<string, unknown>;

export interface Answer {
  status: number;
  headers: Headers;
  body: Json;
}

export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const body = text === "" ? {} : (JSON.parse(text) as Json);
  const broken = brokenAnswer(init.method ?? "GET", url, response, body);
  if (broken !== null) throw new Error(broken);
  return { status: response.status, headers: response.headers, body };
}

export const get = (url: string): Promise<Answer> => request(url);
export const post = (url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  request(url, {
    method: "POST",
    ...(body === undefined
      ? { headers }
      : { body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } }),
  });
export const postBytes = (
  url: string,
  bytes: Uint8Array<ArrayBuffer>,
  type = "application/octet-stream",
): Promise<Answer> => request(url, { method: "POST", body: bytes, headers: { "content-type": type } });

/** The events of one WebSocket, in their order, each waited for. */
export class EventListener implements Disposable {
  readonly frames: Json[] = [];
  readonly #waiting: { wants: (frame: Json) => boolean; resolve: (frame: Json) => void }[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #broken: string | null = null;

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => resolve({ code, reason });
    });
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data)) as Json;
      this.frames.push(frame);
      this.#broken ??= brokenPromise(frame);
      const index = this.#waiting.findIndex(({ wants }) => wants(frame));
      if (index >= 0) this.#waiting.splice(index, 1)[0]?.resolve(frame);
    };
  }

  static async open(url: string): Promise<EventListener> {
    const socket = new WebSocket(url);
    const listener = new EventListener(socket);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
    });
    return listener;
  }

  /** The first frame, past or to come, of the type and with the fields. */
  async event(type: string, fields: Json = {}, limitMs = PATIENCE_MS): Promise<Json> {
    const wants = (frame: Json): boolean =>
      frame.type === type && Object.entries(fields).every(([name, value]) => frame[name] === value);
    const past = this.frames.find(wants);
    if (past) return past;
    return await new Promise<Json>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(
              `no ${type} ${JSON.stringify(fields)} within ${limitMs} ms among ${JSON.stringify(this.frames)}`,
            ),
          ),
        limitMs,
      );
      this.#waiting.push({
        wants,
        resolve: (frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
      });
    });
  }

  types(): unknown[] {
    return this.frames.map(({ type }) => type);
  }

  [Symbol.dispose](): void {
    this.socket.close();
    if (this.#broken !== null) throw new Error(this.#broken);
  }
}

/** A hand on a telephone of the server's simulator. Real cards will bring their own. */
export interface Telephone {
  lift(): Promise<void>;
  hangUp(): Promise<void>;
  flash(durationMs: number): Promise<void>;
  press(digits: string, options?: Json): Promise<void>;
  pulse(digits: string, options?: Json): Promise<void>;
  speak(samples: Int16Array<ArrayBuffer>): Promise<void>;
  ear(seconds: number): Promise<Int16Array>;
  unplug(): Promise<void>;
  plug(): Promise<void>;
}

export function simulatedTelephone({ rest }: RunningServer, line = 1): Telephone {
  const base = `${rest}/simulator/lines/${line}`;
  const done = async (answer: Promise<Answer>): Promise<void> => {
    const { status, body } = await answer;
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  };
  return {
    lift: () => done(post(`${base}/lift`)),
    hangUp: () => done(post(`${base}/hang-up`)),
    flash: (duration_ms) => done(post(`${base}/flash`, { duration_ms })),
    press: (digits, options = {}) => done(post(`${base}/press`, { digits, ...options })),
    pulse: (digits, options = {}) => done(post(`${base}/pulse`, { digits, ...options })),
    speak: (samples) => done(postBytes(`${base}/speak`, new Uint8Array(samples.buffer))),
    ear: async (seconds) => {
      const wav = await (await fetch(`${base}/ear?seconds=${seconds}`)).arrayBuffer();
      return new Int16Array(wav.slice(44));
    },
    unplug: () => done(post(`${base}/unplug`)),
    plug: () => done(post(`${base}/plug`)),
  };
}
