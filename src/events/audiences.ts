/**
 * Those who have all there is, by what they wished for. What is published becomes frames once for all who wish for the
 * same, and then only their transports are touched: between two of a thousand writes the kernel takes the processor's
 * cache, and every object of a client that has to be fetched again costs more than what is done with it.
 */
import { type EventBus, type EventFilter, passes } from "./bus";
import type { EventLog } from "./event_log";
import type { FrameFormat } from "./published";
import { type Frame, type FrameSink, Subscription, type SubscriptionOptions } from "./subscription";

/** Who is told. */
export interface Member {
  readonly sink: FrameSink;
  /** It is no longer told, and goes on by itself after this id. */
  goOnAfter(id: number): void;
}

export class Audience {
  readonly #members = new Set<Member>();
  /** All up to this id was told. */
  #toldId: number;

  constructor(
    private readonly bus: EventBus,
    readonly filter: EventFilter,
    readonly format: FrameFormat,
  ) {
    this.#toldId = bus.lastId;
  }

  get toldId(): number {
    return this.#toldId;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** The member has everything up to `toldId`. */
  add(member: Member): void {
    this.#members.add(member);
  }

  remove(member: Member): void {
    this.#members.delete(member);
  }

  /** What was published since. Whose transport has enough of it goes on by itself. */
  tell(): void {
    if (!this.bus.reaches(this.#toldId)) {
      this.#dissolve();
      return;
    }
    const frames = this.#untold();
    if (frames.length === 0) return;
    // A copy: who comes meanwhile has these.
    for (const member of [...this.#members]) {
      member.sink.send(frames);
      if (!member.sink.congested()) continue;
      this.#members.delete(member);
      member.goOnAfter(this.#toldId);
    }
  }

  #untold(): Frame[] {
    const frames: Frame[] = [];
    while (this.#toldId < this.bus.lastId) {
      const event = this.bus.at(++this.#toldId);
      if (event && passes(this.filter, event)) frames.push({ text: event.text(this.format), id: event.id });
    }
    return frames;
  }

  /** Ids have jumped: what was lost there, each finds out in the archive. */
  #dissolve(): void {
    const members = [...this.#members];
    const toldId = this.#toldId;
    this.#members.clear();
    this.#toldId = this.bus.lastId;
    for (const member of members) member.goOnAfter(toldId);
  }
}

const wishOf = ({ types, lines }: EventFilter, { time, stamp }: FrameFormat): string =>
  JSON.stringify([types && [...types].sort(), lines, time, stamp]);

export class Audiences {
  readonly #byWish = new Map<string, Audience>();

  constructor(readonly log: EventLog) {
    log.bus.follow(() => {
      for (const audience of [...this.#byWish.values()]) {
        audience.tell();
        this.#forgetEmpty(audience);
      }
    });
  }

  subscribe(sink: FrameSink, options: SubscriptionOptions): Subscription {
    return new Subscription(this, sink, options);
  }

  /** The member has everything that was published. */
  join(member: Member, filter: EventFilter, format: FrameFormat): Audience {
    const wish = wishOf(filter, format);
    const audience = this.#byWish.get(wish) ?? new Audience(this.log.bus, filter, format);
    audience.tell(); // what the member has, the others are due
    audience.add(member);
    this.#byWish.set(wish, audience);
    return audience;
  }

  leave(member: Member, audience: Audience): void {
    audience.remove(member);
    this.#forgetEmpty(audience);
  }

  #forgetEmpty(audience: Audience): void {
    if (audience.isEmpty) this.#byWish.delete(wishOf(audience.filter, audience.format));
  }
}
