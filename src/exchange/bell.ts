/** A line's bell: the machine's rings by the numbers that the driver counts them by, and its refusals in words. */
import { constants } from "node:os";
import type { DriverEvent } from "../driver/decode";
import { DriverError } from "../driver/engine";
import { errnoName } from "../driver/faults";
import type { Port } from "../driver/port";
import { planRing, type RingPlan } from "../line/cadence";
import type { LineInput, LineState } from "../line/model";
import { Refusal, type RingRequest } from "./verbs";

export class Bell {
  readonly #ringIdsBySequence = new Map<number, number>();

  constructor(
    private readonly port: Port,
    private readonly engineMs: () => number,
    private readonly tell: (input: LineInput, toldNs: number) => void,
  ) {}

  /** Settles when the card has accepted the first burst. */
  ring(ringId: number, plan: RingPlan): Promise<void> {
    const ringing = this.port.ring(plan, (sequence) => this.#ringIdsBySequence.set(sequence, ringId));
    return ringing.catch((error: unknown) => {
      // Refused before it had a number: the machine still waits for word of it.
      this.tell({ type: "ring_refused", atMs: this.engineMs(), ringId }, 0);
      throw error;
    });
  }

  /** Settles after the driver's ring_done, and never fails: a line that is gone rings no more. */
  stop(): Promise<void> {
    return this.port.stopRing().catch(() => undefined);
  }

  /** In the order of the driver's events, so that a ring_stop can never overtake its ring_start. */
  handle(event: DriverEvent, atMs: number): void {
    if (event.kind !== "ring_done" && event.kind !== "command_done") return;
    const ringId = this.#ringIdsBySequence.get(event.sequence);
    if (ringId === undefined) return;
    if (event.kind === "command_done" && event.result >= 0) {
      this.tell({ type: "ring_accepted", atMs, ringId }, event.toldNs);
      return;
    }
    this.#ringIdsBySequence.delete(event.sequence);
    if (event.kind === "ring_done") {
      this.tell({ type: "ring_ended", atMs, ringId, reason: event.reason }, event.toldNs);
    } else this.tell({ type: "ring_refused", atMs, ringId }, event.toldNs);
  }
}

/** Throws Refusal with every field at fault. */
export function plannedRing(request: RingRequest, maxRingMs: number): RingPlan {
  const planned = planRing(request, maxRingMs);
  if (planned.ok) return planned.plan;
  const detail = planned.errors.map(({ field, message }) => `${field} ${message}`).join("; ");
  throw new Refusal("invalid_input", `${detail}.`, planned.errors);
}

/** What failed, as a client is told it. */
export function ringRefusal(error: unknown, { lifted, fault }: LineState): unknown {
  if (!(error instanceof DriverError)) return error;
  const { EAGAIN, EBUSY, ECANCELED, ENODATA, ENODEV } = constants.errno;
  if (error.errno === ECANCELED) {
    return new Refusal("ring_stopped", "It was stopped, or another ring took its place, before the bell began.");
  }
  if (error.errno === EAGAIN) {
    return new Refusal("queue_full", "Too much is asked of this line at once: try again in a second.");
  }
  if (error.errno === EBUSY && lifted) {
    return new Refusal("line_off_hook", "The telephone was just lifted, its bell cannot ring: wait for on_hook.");
  }
  if (error.errno === ENODATA) {
    return new Refusal("driver_error", "The driver has no tone zone, so it cannot ring: run sudo dahdi_cfg -vv.");
  }
  if (error.errno === ENODEV) {
    return new Refusal("line_not_ready", fault?.fix ?? "The line was just lost: see GET /ready.");
  }
  return new Refusal(
    "driver_error",
    `The driver refused to ring (${errnoName(error.errno)}): see GET /diagnostics.`,
  );
}
