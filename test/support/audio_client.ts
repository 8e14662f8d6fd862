/** A client of WS /lines/{line}/audio that keeps what it hears, and waits for what it is told. */
import type { Json } from "./client";
import { eventually } from "./server";

export class AudioClient implements Disposable {
  readonly told: Json[] = [];
  readonly frames: Uint8Array[] = [];
  close: { code: number; reason: string } | null = null;

  private constructor(readonly socket: WebSocket) {
    socket.binaryType = "arraybuffer";
    socket.onclose = ({ code, reason }) => {
      this.close = { code, reason };
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.told.push(JSON.parse(data) as Json);
      else this.frames.push(new Uint8Array(data as ArrayBuffer));
    };
  }

  static async open(url: string): Promise<AudioClient> {
    const client = new AudioClient(new WebSocket(url));
    await new Promise<void>((resolve, reject) => {
      client.socket.onopen = () => resolve();
      client.socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
    });
    return client;
  }

  /** The first of the kind, past or to come. */
  async tells(type: string, fields: Json = {}): Promise<Json> {
    const wanted = (frame: Json): boolean =>
      frame.type === type && Object.entries(fields).every(([name, value]) => frame[name] === value);
    await eventually(
      () => this.told,
      (told) => told.some(wanted),
    );
    return this.told.find(wanted) as Json;
  }

  async closed(): Promise<{ code: number; reason: string }> {
    await eventually(
      () => this.close,
      (close) => close !== null,
    );
    return this.close as { code: number; reason: string };
  }

  say(message: Json): void {
    this.socket.send(JSON.stringify(message));
  }

  talk(samples: Int16Array): void {
    this.socket.send(samples as Int16Array<ArrayBuffer>);
  }

  /** What it heard so far, of slin16. */
  heard(): Int16Array {
    const bytes = Buffer.concat(this.frames);
    return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }

  async stats(): Promise<Record<string, number>> {
    const before = this.told.length;
    this.say({ type: "stats" });
    await eventually(
      () => this.told.slice(before),
      (told) => told.some(({ type }) => type === "stats"),
    );
    return this.told.slice(before).find(({ type }) => type === "stats") as Record<string, number>;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}
