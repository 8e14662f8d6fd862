import { describe, expect, test } from "bun:test";
import { Audiences } from "../../../src/events/audiences";
import { EventBus, type EventFilter } from "../../../src/events/bus";
import { EventLog } from "../../../src/events/event_log";
import type { SubscriptionOptions } from "../../../src/events/subscription";
import { ALL, flash, lift, sink, Z } from "./sink";
import { settled } from "./stepped_disk";

const FLASHES: EventFilter = { types: new Set(["flash"] as const), lines: null };

function told(capacity = 10) {
  const bus = new EventBus(1, capacity);
  const audiences = new Audiences(new EventLog(bus));
  const client = (options: Partial<SubscriptionOptions> = {}) => {
    const transport = sink();
    const subscription = audiences.subscribe(transport, { filter: ALL, format: Z, since: null, ...options });
    return { ...transport, subscription };
  };
  return { bus, client };
}

describe("an audience", () => {
  test("gets the same text, each wish its own events, all of a moment in one write", async () => {
    const { bus, client } = told();
    const [one, two, flashes] = [client(), client(), client({ filter: FLASHES })];
    lift(bus);
    flash(bus);
    await settled();
    expect(one.writes).toEqual([["off_hook 1", "flash 2"]]);
    expect(two.writes).toEqual(one.writes);
    expect(flashes.writes).toEqual([["flash 2"]]);
    expect(flashes.subscription.position).toBe(2);
  });

  test("who comes between an event and its telling gets it neither twice nor too late, and holds nobody's back", async () => {
    const { bus, client } = told();
    const early = client();
    lift(bus); // not told yet
    const late = client();
    const from = client({ since: 0 });
    flash(bus);
    await settled();
    expect(early.brief()).toEqual(["off_hook 1", "flash 2"]);
    expect(late.brief()).toEqual(["flash 2"]);
    expect(from.brief()).toEqual(["off_hook 1", "caught_up", "flash 2"]);
  });

  test("who has enough goes on by itself, in order; the others notice nothing", async () => {
    const { bus, client } = told();
    const [slow, quick] = [client(), client()];
    slow.state.congested = true; // with what it is sent now
    lift(bus);
    await settled();
    flash(bus);
    flash(bus);
    await settled();
    expect(slow.brief()).toEqual(["off_hook 1"]);
    expect(slow.subscription.position).toBe(1);
    expect(quick.brief()).toEqual(["off_hook 1", "flash 2", "flash 3"]);
    slow.state.congested = false;
    flash(bus); // published and not told yet
    slow.subscription.resume();
    flash(bus);
    await settled();
    expect(slow.brief()).toEqual(["off_hook 1", "flash 2", "flash 3", "flash 4", "flash 5"]);
    expect(quick.brief()).toEqual(slow.brief());
  });

  test("that has all fallen behind is there again for who comes back, and one that left is not told", async () => {
    const { bus, client } = told();
    const [slow, gone] = [client(), client()];
    slow.state.congested = true;
    gone.subscription.close();
    lift(bus);
    await settled();
    slow.state.congested = false;
    slow.subscription.resume();
    flash(bus);
    await settled();
    expect(slow.brief()).toEqual(["off_hook 1", "flash 2"]);
    expect(gone.frames).toEqual([]);
  });

  test("one that leaves while it is told takes nobody else's", async () => {
    const { bus, client } = told();
    const one = client();
    const two = client();
    one.frames.push = () => {
      two.subscription.close();
      return 0;
    };
    const three = client();
    lift(bus);
    await settled();
    expect(three.brief()).toEqual(["off_hook 1"]);
    flash(bus);
    await settled();
    expect(three.brief()).toEqual(["off_hook 1", "flash 2"]);
  });

  test("told of a jump of ids, gets the gap", async () => {
    const { bus, client } = told();
    const all = [client(), client({ filter: FLASHES })];
    flash(bus);
    await settled();
    bus.continueFrom(101);
    flash(bus);
    await settled();
    for (const { brief, frames } of all) {
      expect(brief()).toEqual(["flash 1", "gap", "flash 101"]);
      expect(frames[1]).toEqual({ type: "gap", from: "2", to: "100" });
    }
  });
});
