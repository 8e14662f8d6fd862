/** A telephone's display and its lamp: who calls, who waits, whether there are messages. */
import type { CallerIdSchemeName } from "../audio/caller_id/scheme";
import { lampTransmission, schemeModem, waitingCaller } from "../audio/caller_id/transmission";
import type { DriverEvent } from "../driver/decode";
import type { Port } from "../driver/port";
import type { RingData, RingPlan } from "../line/cadence";
import { callerIdData, callerOf, invalid } from "./caller_id";
import { DataSender } from "./data_sender";
import type { CallerIdRequest, MessageWaitingAnswer, MessageWaitingRequest, WaitingCallAnswer } from "./verbs";
import { WaitingCall } from "./waiting_call";

/** A count is shown by few and believed by none past this. */
const MAX_MESSAGES = 999;

export interface DisplayOptions {
  /** How it understands us; null: there is none. */
  scheme: () => CallerIdSchemeName | null;
  callWaitingTone: () => Int16Array;
}

export function messageCount({ waiting, count = waiting ? 1 : 0 }: MessageWaitingRequest): number {
  if (waiting === count > 0 && count <= MAX_MESSAGES) return count;
  const message = waiting ? `must be a whole number from 1 to ${MAX_MESSAGES}` : "must be 0, or left out";
  throw invalid({ field: "count", message });
}

export class Display {
  readonly #sender: DataSender;
  readonly #waitingCall: WaitingCall;

  constructor(
    private readonly port: Port,
    private readonly nowMs: () => number,
    private readonly options: DisplayOptions,
  ) {
    this.#sender = new DataSender(port);
    this.#waitingCall = new WaitingCall(this.#sender, () => port.nowNs());
  }

  /** True: the telephone's own answer to us, which is no key. */
  takes(event: DriverEvent): boolean {
    this.#sender.handle(event);
    return this.#waitingCall.takes(event);
  }

  /** What goes with the ring; null: it cannot be told. Throws Refusal with every field at fault. */
  ringData(callerId: CallerIdRequest, plan: RingPlan): RingData | null {
    const caller = callerOf(callerId, this.nowMs());
    const scheme = this.options.scheme();
    return scheme && callerIdData(caller, scheme, plan);
  }

  /** The announcement, to be made: what is wrong with the request is said first. */
  waitingCall(callerId: CallerIdRequest | null): () => Promise<WaitingCallAnswer> {
    const caller = callerId && callerOf(callerId, this.nowMs());
    const modem = this.#modem();
    const message = caller && modem ? waitingCaller(caller, modem) : null;
    return () => this.#waitingCall.announce(this.options.callWaitingTone(), message);
  }

  /** How it is told. */
  lamp(): MessageWaitingAnswer["lamp"] {
    const byFsk = this.#modem() !== null;
    const byCard = this.port.stats().capabilityNames.message_lamp;
    return [...(byFsk ? (["fsk"] as const) : []), ...(byCard ? (["card"] as const) : [])];
  }

  /** Settles when the telephone has heard it; false: not all of it. */
  async tellLamp(messages: number): Promise<boolean> {
    // A card without a lamp's voltage says so, and has done all it can.
    await this.port.messageWaiting(messages).catch(() => undefined);
    const scheme = this.options.scheme();
    const sent = scheme && lampTransmission(messages > 0 ? "on" : "off", scheme);
    return !sent || this.#sender.send(sent.samples, { ...sent, lifted: false }).whole;
  }

  #modem() {
    const scheme = this.options.scheme();
    return scheme && schemeModem(scheme);
  }
}
