/** The simulated telephones' verbs: what a person could do, and why it cannot be done just now. */
import { constants } from "node:os";
import { DriverError } from "../driver/engine";
import type { Handset } from "../driver/handset";
import { SampleFeed } from "./sample_feed";
import { type Handsets, type PcmSource, Refusal, type SimulatedTelephone } from "./verbs";

const SAMPLE_RATE_HZ = 8000;
/** As most countries have them. */
const ROTARY_DIAL = { breakMs: 60, makeMs: 40 };

interface Speech {
  feed: SampleFeed;
  ended: (done: Promise<void>) => void;
}

export class SimulatedHandsets implements Handsets {
  /** One mouth each: a second speech waits for the first. */
  readonly #speeches = new Map<number, Speech[]>();

  constructor(private readonly handsets: ReadonlyMap<number, Handset>) {}

  async lift(line: number): Promise<void> {
    const handset = this.#plugged(line);
    if (handset.state().lifted) throw refused("already_in_that_position", "The telephone is lifted already.");
    await handset.hook(true);
  }

  async hangUp(line: number): Promise<void> {
    const handset = this.#plugged(line);
    if (!handset.state().lifted) throw refused("already_in_that_position", "The telephone is on-hook already.");
    await handset.hook(false);
  }

  flash(line: number, durationMs: number): Promise<void> {
    return whileLifted(this.#lifted(line).flash(durationMs));
  }

  press(line: number, keys: Parameters<Handsets["press"]>[1]): Promise<void> {
    return whileLifted(this.#lifted(line).press(keys));
  }

  pulse(line: number, digits: string, { breakMs, makeMs } = ROTARY_DIAL): Promise<void> {
    return whileLifted(this.#lifted(line).pulse(digits, breakMs, makeMs));
  }

  speak(line: number, source: PcmSource): Promise<void> {
    const handset = this.#lifted(line);
    const { promise, resolve } = Promise.withResolvers<void>();
    const feed = new SampleFeed(
      source,
      (samples) => handset.micWrite(samples),
      () => undefined,
      "seam",
    );
    const speeches = this.#speeches.get(line) ?? [];
    speeches.push({ feed, ended: resolve });
    this.#speeches.set(line, speeches);
    source.whenReady?.(() => this.micLow(line));
    this.micLow(line);
    return whileLifted(promise);
  }

  /** There is room in the microphone's ring again. */
  micLow(line: number): void {
    const speeches = this.#speeches.get(line) ?? [];
    const handset = this.#handset(line);
    for (let speech = speeches[0]; speech?.feed.pour(); speech = speeches[0]) {
      speech.ended(handset.micEnd());
      speeches.shift();
    }
  }

  async voltage(line: number, volts: number): Promise<void> {
    await this.#plugged(line).voltage(Math.round(volts * 1000));
  }

  async plug(line: number, plugged: boolean): Promise<void> {
    const handset = this.#handset(line);
    if (handset.state().plugged === plugged) {
      throw refused(
        "already_in_that_position",
        `The telephone is ${plugged ? "plugged in" : "unplugged"} already.`,
      );
    }
    await handset.plug(plugged);
  }

  ear(line: number, seconds: number): Int16Array {
    return this.#handset(line).ear(Math.round(seconds * SAMPLE_RATE_HZ));
  }

  telephone(line: number): SimulatedTelephone {
    const { lifted, bell, bursts, plugged, volts, reversed, lamp } = this.#handset(line).state();
    return {
      line,
      hook: lifted ? "off_hook" : "on_hook",
      bell: { ringing: bell, bursts },
      voltage: volts,
      plugged,
      polarity_reversed: reversed,
      message_lamp: lamp,
    };
  }

  #handset(line: number): Handset {
    const handset = this.handsets.get(line);
    if (!handset) throw refused("unknown_line", `There is no line ${line}: GET /lines lists them.`);
    return handset;
  }

  #plugged(line: number): Handset {
    const handset = this.#handset(line);
    if (!handset.state().plugged) throw refused("line_not_ready", "The telephone is unplugged: plug it in first.");
    return handset;
  }

  #lifted(line: number): Handset {
    const handset = this.#plugged(line);
    if (!handset.state().lifted) throw refused("line_on_hook", "The telephone is on-hook: lift it first.");
    return handset;
  }
}

const refused = (code: Refusal["code"], message: string): Refusal => new Refusal(code, message);

/** A telephone hung up or unplugged in the middle of it cannot go on. */
async function whileLifted(action: Promise<void>): Promise<void> {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    if (error.errno === constants.errno.EAGAIN) {
      throw refused("queue_full", "The telephone has too much to do already: wait for it.");
    }
    throw refused("line_on_hook", "The telephone was hung up or unplugged before that was done.");
  }
}
