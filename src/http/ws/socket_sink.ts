/** A WebSocket as a subscription's transport. */
import type { Frame, FrameSink } from "../../events/subscription";
import type { Log } from "../../observe/log";

/** What of Bun's ServerWebSocket is needed. */
export interface Socket {
  send(text: string): number;
  ping(): number;
  cork(send: () => void): unknown;
  close(code?: number, reason?: string): void;
  getBufferedAmount(): number;
}

/** Beyond this a client's frames wait in the log instead of in memory. */
const CONGESTED_BYTES = 64 * 1024;
/** What Bun's send answers when it keeps the frame, or a part of it, for later. */
const KEPT = -1;

/** What goes out in the write under way: a closure for each of a thousand would be made and fetched again for each. */
let writing: { socket: Socket; frames: readonly Frame[] } | null = null;
const sendAll = (): void => {
  for (const { text } of writing?.frames ?? []) writing?.socket.send(text);
};

export class SocketSink implements FrameSink {
  /** The transport is asked only where it may keep something. */
  #mayKeep = false;

  constructor(
    private readonly socket: Socket,
    private readonly number: number,
    private readonly log: Log,
  ) {}

  send(frames: readonly Frame[]): void {
    const [first] = frames;
    if (frames.length === 1 && first) {
      if (this.socket.send(first.text) === KEPT) this.#mayKeep = true;
    } else {
      writing = { socket: this.socket, frames };
      this.socket.cork(sendAll);
      writing = null;
      this.#mayKeep = true; // what does not go out at the end of the write, no send has told
    }
    if (!this.log.enabled("debug")) return;
    for (const { text } of frames) this.log.debug("frame sent", { client: this.number, frame: text });
  }

  congested(): boolean {
    if (!this.#mayKeep) return false;
    const bytes = this.socket.getBufferedAmount();
    this.#mayKeep = bytes > 0;
    return bytes > CONGESTED_BYTES;
  }
}
