/**
 * A second call, told to a lifted telephone (type II, GR-30-CORE 2.5):
 *
 *   line       call-waiting tone | alert | silence …            | FSK without seizure
 *   telephone                            | D (or A), 60 ms      |
 *                                        ^ begins within 160 ms
 *
 * No acknowledgement, no FSK: a person would hear it as noise. What a client plays waits meanwhile.
 */
import { ACKNOWLEDGEMENT } from "../audio/caller_id/alert";
import { waitingCallAlert } from "../audio/caller_id/transmission";
import type { DriverEvent } from "../driver/decode";
import type { DataSender } from "./data_sender";
import { Refusal, type WaitingCallAnswer } from "./verbs";

const NS_PER_MS = 1e6;
/** Of an onset: the detector's resolution, and a block each way. */
const ONSET_TOLERANCE_MS = 40;
/** GR-30-CORE: the FSK begins 50 to 500 ms after the acknowledgement's end. */
const FSK_WITHIN_MS = 450;

interface Announcement {
  /** Engine time, ns, of the alert's end as the telephone hears it; null before the alert begins. */
  alertEndNs: number | null;
  acknowledgedBy: string | null;
  acknowledged: (atNs: number) => void;
}

const to = { lifted: true, reversePolarity: false };

export class WaitingCall {
  #announcement: Announcement | null = null;

  constructor(
    private readonly sender: DataSender,
    private readonly nowNs: () => number,
  ) {}

  /** message null: the tone is all there is. */
  async announce(tone: Int16Array, message: Int16Array | null): Promise<WaitingCallAnswer> {
    if (this.#announcement) {
      throw new Refusal("call_waiting_busy", "A waiting call is being announced just now: wait for that answer.");
    }
    const acknowledgement = Promise.withResolvers<number>();
    const announcement: Announcement = {
      alertEndNs: null,
      acknowledgedBy: null,
      acknowledged: acknowledgement.resolve,
    };
    this.#announcement = announcement;
    try {
      if (!message) {
        if (!(await this.sender.send(tone, to).whole)) throw hungUp();
        return { acknowledged: null, callerIdSent: false };
      }
      const { samples, alertEndMs } = waitingCallAlert(tone);
      const alert = this.sender.send(samples, to);
      announcement.alertEndNs = (await alert.begun.catch(() => Promise.reject(hungUp()))) + alertEndMs * NS_PER_MS;
      const first = await Promise.race([acknowledgement.promise, alert.whole]);
      if (first === false) throw hungUp();
      if (first === true && announcement.acknowledgedBy === null)
        return { acknowledged: false, callerIdSent: false };
      // A long key may still be down when the silence after the alert is over.
      const endedNs = await acknowledgement.promise;
      if (this.nowNs() - endedNs > FSK_WITHIN_MS * NS_PER_MS) return { acknowledged: true, callerIdSent: false };
      return { acknowledged: true, callerIdSent: await this.sender.send(message, to).whole };
    } finally {
      this.#announcement = null;
    }
  }

  /** True: it is the telephone's answer to us, and no key that somebody pressed. */
  takes(event: DriverEvent): boolean {
    const announcement = this.#announcement;
    if (!announcement) return false;
    if (event.kind === "on_hook" || event.kind === "line_down") {
      announcement.acknowledged(Number.NEGATIVE_INFINITY);
      return false;
    }
    if (event.kind === "dtmf_down") {
      if (!ACKNOWLEDGEMENT.digits.includes(event.digit) || announcement.alertEndNs === null) return false;
      const afterMs = (event.atNs - announcement.alertEndNs) / NS_PER_MS;
      if (afterMs < -ONSET_TOLERANCE_MS || afterMs > ACKNOWLEDGEMENT.withinMs + ONSET_TOLERANCE_MS) return false;
      announcement.acknowledgedBy = event.digit;
      return true;
    }
    if (event.kind !== "dtmf_up" || event.digit !== announcement.acknowledgedBy) return false;
    announcement.acknowledged(event.atNs);
    return true;
  }
}

const hungUp = (): Refusal =>
  new Refusal("line_on_hook", "The telephone was hung up before it knew of the waiting call.");
