import { describe, expect, test } from "bun:test";
import { Audiences } from "../../../src/events/audiences";
import { EventBus } from "../../../src/events/bus";
import { EventLog, type LogPage } from "../../../src/events/event_log";
import { ALL, flash, lift, sink, T0, Z } from "./sink";
import { settled } from "./stepped_disk";

const ids = ({ entries }: LogPage) => entries.map((entry) => ("id" in entry ? entry.id : entry));

describe("an event on the wire", () => {
  test("has a timestamp of exactly three decimals, in either format", () => {
    const bus = new EventBus(1, 10);
    const event = bus.publish(1, T0 + 0.4, 0, { type: "on_hook" });
    expect(JSON.parse(event.text(Z))).toEqual({
      type: "on_hook",
      timestamp: "2026-01-29T12:00:00.000Z",
      line: 1,
      id: "1",
    });
    expect(JSON.parse(event.text({ time: "offset", stamp: false })).timestamp).toBe(
      "2026-01-29T12:00:00.000+00:00",
    );
    expect(JSON.parse(bus.publish(1, T0, 77, { type: "on_hook" }).text({ time: "z", stamp: true })).stamp_ns).toBe(
      77,
    );
  });

  test("carries the older server's names", () => {
    const bus = new EventBus(1, 10);
    const voltage = bus.publish(1, T0, 0, { type: "voltage_change", voltage: 47.96 });
    expect(JSON.parse(voltage.text(Z))).toMatchObject({ voltage: 48, value: 48 });
    const error = bus.publish(1, T0, 0, { type: "error", error: { code: "c", message: "m", fix: "f" } });
    expect(JSON.parse(error.text(Z))).toMatchObject({
      error_message: "m",
      error_code: "c",
      error: "m",
      fix: "f",
    });
    const voice = bus.publish(1, T0, 0, {
      type: "voice",
      active: true,
      startMs: T0 - 100,
      endMs: null,
      energyLevel: -20.04,
      segmentLevel: -21,
    });
    expect(JSON.parse(voice.text(Z))).toMatchObject({
      energy_level: -20,
      energy: -20,
      segment_level: -21,
      active: true,
      start_time: "2026-01-29T11:59:59.900Z",
      end_time: null,
    });
  });

  test("of a pulse digit has no signal level", () => {
    const bus = new EventBus(1, 10);
    const pulse = bus.publish(1, T0, 0, { type: "dtmf", digit: "5", duration: 500, source: "pulse" });
    expect(JSON.parse(pulse.text(Z))).not.toHaveProperty("signal_level");
    const tone = bus.publish(1, T0, 0, {
      type: "dtmf",
      digit: "5",
      duration: 80,
      signal_level: -9.96,
      source: "dtmf",
    });
    expect(JSON.parse(tone.text(Z))).toMatchObject({
      digit: "5",
      duration: 80,
      signal_level: -10,
      source: "dtmf",
    });
  });
});

describe("order", () => {
  test("times of one line never run backwards, another line's do not matter", () => {
    const bus = new EventBus(1, 10);
    expect(lift(bus, 1, T0 + 1000).atMs).toBe(T0 + 1000);
    expect(bus.publish(1, T0, 0, { type: "on_hook" }).atMs).toBe(T0 + 1000);
    expect(lift(bus, 2, T0).atMs).toBe(T0);
  });
});

describe("the log", () => {
  test("pages, filters, and says where to go on", async () => {
    const bus = new EventBus(100, 10);
    const log = new EventLog(bus);
    for (let i = 0; i < 3; i++) {
      lift(bus);
      flash(bus, 2);
    }
    const page = await log.page(99, 2, { types: new Set(["flash"] as const), lines: null });
    expect(ids(page)).toEqual([101, 103]);
    expect(page.next).toBe(103);
    expect(ids(await log.page(103, 10, ALL))).toEqual([104, 105]);
    expect(await log.page(105, 10, ALL)).toEqual({ entries: [], next: 105, complete: true });
  });

  test("keeps the newest, and says truthfully how far back it reaches", async () => {
    const bus = new EventBus(1, 4);
    const log = new EventLog(bus);
    for (let i = 0; i < 10; i++) lift(bus);
    expect(ids(await log.page(null, 10, ALL))).toEqual([7, 8, 9, 10]);
    expect(log.reaches(6)).toBe(true);
    expect(log.reaches(5)).toBe(false);
    expect(log.reaches(11)).toBe(false);
    expect(await log.page(2, 10, ALL)).toMatchObject({ complete: false, next: 10 });
  });
});

describe("a subscription", () => {
  test("sends nothing of its own, then every event", async () => {
    const bus = new EventBus(1, 10);
    lift(bus);
    const client = sink();
    new Audiences(new EventLog(bus)).subscribe(client, { filter: ALL, format: Z, since: null });
    expect(client.frames).toEqual([]);
    flash(bus);
    await settled();
    expect(client.brief()).toEqual(["flash 2"]);
  });

  test("gets what was published together in one write", async () => {
    const bus = new EventBus(1, 10);
    const client = sink();
    new Audiences(new EventLog(bus)).subscribe(client, { filter: ALL, format: Z, since: null });
    lift(bus);
    flash(bus);
    await settled();
    flash(bus);
    await settled();
    expect(client.writes).toEqual([["off_hook 1", "flash 2"], ["flash 3"]]);
  });

  test("filters by type and line", async () => {
    const bus = new EventBus(1, 10);
    const client = sink();
    new Audiences(new EventLog(bus)).subscribe(client, {
      filter: { types: new Set(["flash"] as const), lines: [2] },
      format: Z,
      since: null,
    });
    lift(bus, 2);
    flash(bus, 1);
    flash(bus, 2);
    await settled();
    expect(client.brief()).toEqual(["flash 3"]);
  });

  test("replays, says so, and goes on without a repetition", async () => {
    const bus = new EventBus(1, 10);
    lift(bus);
    flash(bus);
    const client = sink();
    new Audiences(new EventLog(bus)).subscribe(client, { filter: ALL, format: Z, since: 1 });
    flash(bus);
    await settled();
    expect(client.brief()).toEqual(["flash 2", "caught_up", "flash 3"]);
  });

  test("from before the log asks for a resync and goes on from now", async () => {
    const bus = new EventBus(50, 2);
    for (let i = 0; i < 5; i++) lift(bus);
    const client = sink();
    new Audiences(new EventLog(bus)).subscribe(client, { filter: ALL, format: Z, since: 50 });
    flash(bus);
    await settled();
    expect(client.brief()).toEqual(["resync_required", "flash 55"]);
  });

  test("that does not read loses only what the log loses, and is told once", async () => {
    const bus = new EventBus(1, 3);
    const client = sink();
    const subscription = new Audiences(new EventLog(bus)).subscribe(client, {
      filter: ALL,
      format: Z,
      since: null,
    });
    client.state.congested = true; // with what it is sent now
    lift(bus);
    await settled();
    for (let i = 0; i < 6; i++) flash(bus);
    await settled();
    expect(client.brief()).toEqual(["off_hook 1"]);
    client.state.congested = false;
    subscription.resume();
    await settled(); // the archive, which is none, is asked
    expect(client.frames[1]).toEqual({ type: "gap", from: "2", to: "4" });
    expect(client.brief().slice(2)).toEqual(["flash 5", "flash 6", "flash 7"]);
  });

  test("closed, hears no more", async () => {
    const bus = new EventBus(1, 3);
    const client = sink();
    new Audiences(new EventLog(bus)).subscribe(client, { filter: ALL, format: Z, since: null }).close();
    lift(bus);
    await settled();
    expect(client.frames).toEqual([]);
  });
});
