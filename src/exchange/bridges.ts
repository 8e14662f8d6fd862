/**
 * Lines that hear each other: intercom, hold, three-way. The sound goes from line to line in the I/O thread; here is who
 * is on which bridge. A line is on one at most.
 *
 *   on-hook ──ring──▶ ringing ──answer──▶ joined ◀──hold, unhold──▶ held
 *                        └── no answer ──────┴── hung up, removed … ──┴──▶ left; the last one as well
 */
import { BRIDGE_LINES } from "../driver/abi.gen";
import type { LineEventBody } from "../line/events";
import { offHook } from "../line/model";
import type { BridgeLeaveReason } from "../line/state";
import { leftAlone, type MemberState, memberMoved } from "./bridge_members";
import type { LineRunner } from "./line_runner";
import { type BridgeInfo, Refusal, type RingRequest } from "./verbs";

interface Bridge {
  id: string;
  /** The I/O thread's name of it. */
  number: number;
  members: Map<number, MemberState>;
}

export interface BridgesDependencies {
  runner: (line: number) => LineRunner;
  newBridgeId: () => string;
  tell: (line: number, body: LineEventBody) => void;
}

export class Bridges {
  readonly #bridges = new Map<string, Bridge>();
  #lastNumber = 0;

  constructor(private readonly dependencies: BridgesDependencies) {}

  list(): BridgeInfo[] {
    return [...this.#bridges.values()].map(shown);
  }

  get(id: string): BridgeInfo {
    return shown(this.#bridge(id));
  }

  /** ring: of those that are on-hook; null: they are refused. */
  async create(lines: readonly number[], ring: RingRequest | null): Promise<BridgeInfo> {
    if (new Set(lines).size !== lines.length || lines.length < 2) {
      throw new Refusal("invalid_input", "lines must name two or more lines, each once.", [
        { field: "lines", message: "must name two or more lines, each once" },
      ]);
    }
    for (const line of lines) this.#mayJoin(line, ring);
    const bridge: Bridge = { id: this.dependencies.newBridgeId(), number: ++this.#lastNumber, members: new Map() };
    this.#bridges.set(bridge.id, bridge);
    await this.#enter(bridge, lines, ring);
    return shown(bridge);
  }

  async add(id: string, line: number, ring: RingRequest | null): Promise<BridgeInfo> {
    const bridge = this.#bridge(id);
    if (bridge.members.size >= BRIDGE_LINES) {
      throw new Refusal("bridge_full", `${BRIDGE_LINES} lines are on this bridge: remove one first.`);
    }
    this.#mayJoin(line, ring);
    await this.#enter(bridge, [line], ring);
    return shown(bridge);
  }

  async remove(id: string, line: number): Promise<BridgeInfo> {
    const bridge = this.#bridge(id);
    this.#member(bridge, line);
    await this.#leave(bridge, line, "removed");
    return shown(bridge);
  }

  async hold(id: string, line: number, held: boolean): Promise<BridgeInfo> {
    const bridge = this.#bridge(id);
    if (this.#member(bridge, line) === "ringing") {
      throw new Refusal("not_on_bridge", `Line ${line} rings still: it can be held once it has answered.`);
    }
    bridge.members.set(line, held ? "held" : "joined");
    await this.dependencies.runner(line).port.bridge(held ? 0 : bridge.number);
    return shown(bridge);
  }

  async delete(id: string): Promise<void> {
    await this.#end(this.#bridge(id), "deleted");
  }

  /** Its telephone did something, or its bell. Settles when the I/O thread knows what follows. */
  async moved(line: number): Promise<void> {
    const bridge = this.#of(line);
    const member = bridge?.members.get(line);
    if (!bridge || !member) return;
    const { answering, state } = this.dependencies.runner(line);
    const { service, lifted, ring, pendingRings } = state;
    const ringing = ring !== null || pendingRings.length > 0 || answering;
    const next = memberMoved(member, { inService: service === "up", lifted, ringing });
    if (!next) return;
    await ("joins" in next ? this.#join(bridge, line) : this.#leave(bridge, line, next.leaves));
  }

  #mayJoin(line: number, ring: RingRequest | null): void {
    const { state } = this.dependencies.runner(line);
    if (this.#of(line)) {
      throw new Refusal("line_bridged", `Line ${line} is on a bridge already: GET /bridges shows which.`);
    }
    if (state.service !== "up")
      throw new Refusal("line_not_ready", `Line ${line} is out of service: see GET /ready.`);
    if (!state.lifted && !ring) {
      throw new Refusal("line_on_hook", `Line ${line} is on-hook: send "ring": true to ring it.`);
    }
  }

  /** All rings are accepted before who waits is let in: a bridge whose bells cannot ring does not come about. */
  async #enter(bridge: Bridge, lines: readonly number[], ring: RingRequest | null): Promise<void> {
    const rung: number[] = [];
    const onHook = lines.filter((line) => !offHook(this.dependencies.runner(line).state));
    for (const line of lines) bridge.members.set(line, "ringing");
    try {
      await each(onHook, async (line) => {
        try {
          await this.dependencies.runner(line).ring(ring ?? {});
          rung.push(line);
        } catch (error) {
          // Lifted meanwhile: that is an answer, whatever became of its bell.
          if (!offHook(this.dependencies.runner(line).state)) throw error;
        }
      });
      await each(lines, (line) => this.moved(line));
    } catch (error) {
      await each(lines, (line) => this.#withdraw(bridge, line, rung.includes(line))).catch(() => undefined);
      if (bridge.members.size === 0) this.#bridges.delete(bridge.id);
      if (error instanceof Refusal) throw error;
      throw new Refusal("driver_error", "The lines could not be joined just now: try again in a second.");
    }
  }

  /** Of one that was about to join: who has not heard of that need not hear of its end. */
  async #withdraw(bridge: Bridge, line: number, rung: boolean): Promise<void> {
    if (bridge.members.get(line) !== "ringing") return this.#leave(bridge, line, "removed");
    bridge.members.delete(line);
    if (rung) await this.dependencies.runner(line).stopRing();
  }

  async #join(bridge: Bridge, line: number): Promise<void> {
    bridge.members.set(line, "joined");
    const runner = this.dependencies.runner(line);
    runner.attach("bridge");
    this.dependencies.tell(line, { type: "bridge_joined", bridge_id: bridge.id });
    await runner.port.bridge(bridge.number);
  }

  async #leave(bridge: Bridge, line: number, reason: BridgeLeaveReason): Promise<void> {
    const member = bridge.members.get(line);
    if (!member) return;
    bridge.members.delete(line);
    const { dependencies } = this;
    const runner = dependencies.runner(line);
    if (member !== "ringing") runner.detach("bridge");
    dependencies.tell(line, { type: "bridge_left", bridge_id: bridge.id, reason });
    const last = leftAlone(bridge.members);
    if (bridge.members.size === 0) this.#bridges.delete(bridge.id);
    await Promise.all([
      member === "ringing" ? runner.stopRing() : runner.port.bridge(0),
      last === null ? null : this.#leave(bridge, last, reason === "deleted" ? reason : "alone"),
    ]);
  }

  async #end(bridge: Bridge, reason: BridgeLeaveReason): Promise<void> {
    for (const line of [...bridge.members.keys()]) await this.#leave(bridge, line, reason);
  }

  #of(line: number): Bridge | undefined {
    return [...this.#bridges.values()].find(({ members }) => members.has(line));
  }

  #bridge(id: string): Bridge {
    const bridge = this.#bridges.get(id);
    if (!bridge) throw new Refusal("unknown_bridge", "There is no such bridge: it has ended, or never was.");
    return bridge;
  }

  #member(bridge: Bridge, line: number): MemberState {
    this.dependencies.runner(line);
    const state = bridge.members.get(line);
    if (!state) throw new Refusal("not_on_bridge", `Line ${line} is not on this bridge.`);
    return state;
  }
}

/** Settles when all have; rejects as the first of them that did, and not before the others are through. */
async function each(lines: readonly number[], act: (line: number) => Promise<void>): Promise<void> {
  const settled = await Promise.allSettled(lines.map(act));
  for (const one of settled) if (one.status === "rejected") throw one.reason;
}

const shown = ({ id, members }: Bridge): BridgeInfo => ({
  id,
  members: [...members].map(([line, state]) => ({ line, state })),
});
