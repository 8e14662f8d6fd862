/** A recording as FLAC, made while it is sent: nothing of it is kept, and nobody waits for it but who asked. */
import { RecordingStoreError } from "./recording";

/** Asks for the next piece. */
export interface ToFlacThread {
  path: string;
}
export type FromFlacThread =
  | { told: "piece"; bytes: Uint8Array }
  | { told: "end" }
  | { told: "failed"; why: string };

/** Each takes a core. */
const MAX_AT_ONCE = 2;

export class FlacFiles {
  #atOnce = 0;

  constructor(
    /** Of flac_thread.ts. */
    private readonly threadUrl: string,
    /** Who takes nothing for so long makes place for others. */
    private readonly stallMs: number,
  ) {}

  /** Throws RecordingStoreError. */
  stream(path: string): ReadableStream<Uint8Array> {
    if (this.#atOnce >= MAX_AT_ONCE) {
      const message = `${MAX_AT_ONCE} recordings are being made into FLAC: try again in a moment, or take the WAV.`;
      throw new RecordingStoreError("encoder_busy", message);
    }
    this.#atOnce++;
    const worker = new Worker(this.threadUrl, { smol: true });
    worker.unref();
    let running = true;
    let stalled: Timer | undefined;
    const end = (): void => {
      if (!running) return;
      running = false;
      clearTimeout(stalled);
      this.#atOnce--;
      worker.terminate();
    };
    const ask: ToFlacThread = { path };
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) =>
          new Promise<void>((resolve) => {
            clearTimeout(stalled);
            const fail = (why: string): void => {
              end();
              controller.error(new Error(`no FLAC of this recording: ${why}`));
              resolve();
            };
            worker.onerror = ({ message }) => fail(message);
            worker.onmessage = ({ data }: MessageEvent<FromFlacThread>) => {
              if (data.told === "failed") return fail(data.why);
              if (data.told === "piece" && data.bytes.length === 0) return worker.postMessage(ask);
              if (data.told === "piece") {
                controller.enqueue(data.bytes);
                stalled = setTimeout(() => fail("nobody takes it"), this.stallMs);
              } else {
                end();
                controller.close();
              }
              resolve();
            };
            worker.postMessage(ask);
          }),
        cancel: end,
      },
      { highWaterMark: 1 },
    );
  }
}
