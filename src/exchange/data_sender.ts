/** Data for a telephone's display, outside of ringing: each sending with its beginning and its end. */
import type { DriverEvent } from "../driver/decode";
import type { Port } from "../driver/port";

export interface Sending {
  /** Engine time, ns, when its first sample is heard; rejects with DriverError where it never begins. */
  begun: Promise<number>;
  /** False: cut off, or never begun. */
  whole: Promise<boolean>;
}

const NS_PER_MS = 1e6;

export class DataSender {
  readonly #underWay = new Map<number, { begun: (atNs: number) => void; ended: (whole: boolean) => void }>();

  constructor(private readonly port: Port) {}

  send(samples: Int16Array, to: { lifted: boolean; reversePolarity: boolean }): Sending {
    const begun = Promise.withResolvers<number>();
    const whole = Promise.withResolvers<boolean>();
    begun.promise.catch(() => undefined); // who only waits for the end learns it there
    this.port
      .sendData(samples, to, (sequence) =>
        this.#underWay.set(sequence, { begun: begun.resolve, ended: whole.resolve }),
      )
      .catch((error: unknown) => {
        begun.reject(error);
        whole.resolve(false);
      });
    return { begun: begun.promise, whole: whole.promise };
  }

  handle(event: DriverEvent): void {
    if (event.kind === "data_started") {
      this.#underWay.get(event.sequence)?.begun(event.atNs + event.delayMs * NS_PER_MS);
    } else if (event.kind === "data_done") {
      this.#underWay.get(event.sequence)?.ended(event.whole);
      this.#underWay.delete(event.sequence);
    } else if (event.kind === "command_done" && event.result < 0) this.#underWay.delete(event.sequence);
  }
}
