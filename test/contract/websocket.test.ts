/** contract.md, events by WebSocket. */
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { card, lacks } from "../support/backend";
import { EventListener, get, type Json, post, request } from "../support/client";
import { needs } from "../support/needs";
import { eventually } from "../support/server";
import { sharedTelephones } from "../support/shared_telephones";
import { noise, sine } from "../support/stepped";

const phones = sharedTelephones(12);
const { freshLine } = phones;

const COMMON = ["type", "timestamp", "line", "id"];
const Z = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("events", () => {
  test("a lift, keys, a flash, pulses, a voice, hanging up: each with its fields", async () => {
    const { line, phone } = freshLine();
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    await phone.lift();
    await phone.press("5", { on_ms: 120 });
    // A busy machine may see the loop late: then it is flashed again.
    let flashes = 0;
    const flashed = async (): Promise<number> => {
      flashes++;
      await phone.flash(400);
      const seen = await eventually(
        () => events.frames.filter(({ type }) => type === "flash"),
        ({ length }) => length === flashes,
      );
      return Number(seen.at(-1)?.duration);
    };
    await eventually(flashed, (durationMs) => Math.abs(durationMs - 400) <= 60);
    await phone.pulse("3");
    await phone.speak(noise(6000, 5, 6000) as Int16Array<ArrayBuffer>);
    const voiceEnd = await events.event("voice", { active: false });
    await phone.hangUp();
    await events.event("on_hook");

    expect(events.types()[0]).toBe("off_hook");
    expect(await events.event("off_hook")).toMatchObject({ line, answered: false });
    const key = (await events.event("dtmf", { source: "dtmf" })) as Record<string, number | string>;
    expect(key.digit).toBe("5");
    expect(Math.abs((key.duration as number) - 120)).toBeLessThanOrEqual(10);
    expect(Math.abs((key.signal_level as number) + 10)).toBeLessThanOrEqual(1);
    const pulse = await events.event("dtmf", { source: "pulse" });
    expect(pulse).toMatchObject({ digit: "3" });
    expect(pulse).not.toHaveProperty("signal_level");
    // Absent where a busy machine looked too late; never wrong.
    expect(Math.abs(((pulse.pulses_per_second as number | undefined) ?? 10) - 10)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(((pulse.break_ratio_percent as number | undefined) ?? 60) - 60)).toBeLessThanOrEqual(8);
    const voiceStart = (await events.event("voice", { active: true })) as Record<string, number>;
    expect(voiceStart.energy_level).toBeGreaterThan(-50);
    expect(voiceStart.energy).toBe(voiceStart.energy_level);
    expect(voiceEnd.energy_level as number).toBeLessThan(-50);
    expect(String(voiceEnd.start_time)).toMatch(Z);
    expect(String(voiceEnd.end_time)).toMatch(Z);
    if (card !== "local") {
      const voltage = (await events.event("voltage_change")) as Json;
      expect(voltage.value).toBe(voltage.voltage);
    }

    let before = "";
    for (const frame of events.frames) {
      for (const field of COMMON) expect(frame).toHaveProperty(field);
      expect(String(frame.timestamp)).toMatch(Z);
      expect(String(frame.timestamp) >= before).toBe(true);
      before = String(frame.timestamp);
    }
    const ids = events.frames.map(({ id }) => BigInt(String(id)));
    expect(ids).toEqual([...ids].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("a key pressed is no voice", async () => {
    const { line, phone } = freshLine();
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    await phone.lift();
    await phone.press("1234567890");
    await events.event("dtmf", { digit: "0" });
    await phone.hangUp();
    await events.event("on_hook");
    expect(events.types()).not.toContain("voice");
  });

  test("a fax machine that calls, and one that answers, are told by their tones", async () => {
    const { line, phone } = freshLine();
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}&types=call_progress`);
    await phone.lift();
    await phone.speak(sine(1100, 500, 4000) as Int16Array<ArrayBuffer>);
    const calls = await events.event("call_progress", { tone: "fax_cng", active: true });
    expect(calls).toMatchObject({ end_time: null, duration: null });
    expect(Math.abs((calls.signal_level as number) + 15.1)).toBeLessThanOrEqual(1.5);
    await phone.speak(sine(2100, 2600, 4000) as Int16Array<ArrayBuffer>);
    // In CNG's pause another tone is sure: that one is over.
    const over = await events.event("call_progress", { tone: "fax_cng", active: false });
    expect(Math.abs((over.duration as number) - 500)).toBeLessThanOrEqual(60);
    const answered = await events.event("call_progress", { tone: "fax_ced", active: false });
    expect(Math.abs((answered.duration as number) - 2600)).toBeLessThanOrEqual(60);
    expect(String(answered.start_time)).toMatch(Z);
    expect(String(answered.end_time)).toMatch(Z);
    expect(events.frames.map(({ tone }) => tone)).toEqual(["fax_cng", "fax_cng", "fax_ced", "fax_ced"]);
    await phone.hangUp();
  });

  test("every client hears the same, in the same order, on both ports", async () => {
    const { line, phone } = freshLine();
    using one = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    using two = await EventListener.open(`${phones.server.rest.replace("http:", "ws:")}/ws?line=${line}`);
    await phone.lift();
    await phone.press("147");
    await phone.hangUp();
    await Promise.all([one.event("on_hook"), two.event("on_hook")]);
    expect(two.frames).toEqual(one.frames);
  });

  const pluggable = needs(lacks("unplug") === null, lacks("unplug") ?? "");
  pluggable("unplugged: error and state ERROR; plugged in again: the line is back", async () => {
    const { line, url, phone } = freshLine();
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    await phone.unplug();
    const error = await events.event("error");
    expect(error).toMatchObject({ error_code: "card_removed" });
    expect(error.error).toBe(error.error_message);
    const { body } = await get(`${url}/status`);
    expect(body.state).toBe("ERROR");
    expect(typeof body.error_message).toBe("string");
    expect((await get(`${phones.server.rest}/ready`)).status).toBe(503);
    expect((await post(`${url}/ring`)).status).toBe(503);
    await phone.plug();
    await events.event("hardware_status", { status: "ready" });
    expect((await get(`${url}/status`)).body.state).toBe("IDLE");
    await eventually(
      () => get(`${phones.server.rest}/ready`),
      ({ status }) => status === 200,
    );
  });
});

describe("what a client may ask for", () => {
  test("types, and timestamps with an offset", async () => {
    const { line, phone } = freshLine();
    using events = await EventListener.open(
      `${phones.server.websocket}?line=${line}&types=dtmf,on_hook&ts=offset`,
    );
    await phone.lift();
    await phone.press("1");
    await phone.hangUp();
    await events.event("on_hook");
    expect(events.types()).toEqual(["dtmf", "on_hook"]);
    expect(String(events.frames[0]?.timestamp)).toMatch(/\.\d{3}\+00:00$/);
  });

  test("a replay from an id, then caught_up, then live, none twice", async () => {
    const { line, phone } = freshLine();
    using first = await EventListener.open(`${phones.server.websocket}?line=${line}&types=off_hook,dtmf,on_hook`);
    await phone.lift();
    await phone.press("12");
    await first.event("dtmf", { digit: "2" });
    const since = first.frames[0]?.id;
    using second = await EventListener.open(
      `${phones.server.websocket}?line=${line}&types=off_hook,dtmf,on_hook&since=${since}`,
    );
    await second.event("caught_up");
    await phone.hangUp();
    await second.event("on_hook");
    expect(second.frames.map(({ digit, type }) => digit ?? type)).toEqual(["1", "2", "caught_up", "on_hook"]);
    using old = await EventListener.open(`${phones.server.websocket}?since=7`);
    await old.event("resync_required");
  });

  test("a snapshot tells a client that comes late", async () => {
    const { line, phone } = freshLine();
    await phone.lift();
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}&snapshot=1`);
    const snapshot = (await events.event("snapshot")) as { lines: Json[] };
    expect(snapshot.lines).toHaveLength(1);
    expect(snapshot.lines[0]).toMatchObject({ line, state: "OFF_HOOK" });
    expect(events.frames[0]?.type).toBe("snapshot");
    await phone.hangUp();
  });

  test("a wrong query is refused before the upgrade", async () => {
    const base = phones.server.rest;
    const upgrade = {
      headers: {
        upgrade: "websocket",
        connection: "Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    };
    expect((await request(`${base}/ws?types=nonsense`, upgrade)).body.code).toBe("invalid_input");
    expect((await request(`${base}/ws?line=99`, upgrade)).body.code).toBe("unknown_line");
    expect((await request(`${base}/ws?foo=1`, upgrade)).status).toBe(422);
    expect((await get(`${base}/ws`)).status).toBe(426);
  });
});

describe("clients that misbehave", () => {
  test("garbage is ignored, 10 MB and a flood close the connection, nobody else notices", async () => {
    const { line, phone } = freshLine();
    using good = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    using talker = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    talker.socket.send("garbage{{{");
    talker.socket.send(new Uint8Array([1, 2, 3]));
    using huge = await EventListener.open(phones.server.websocket);
    huge.socket.send(new Uint8Array(10 * 1024 * 1024));
    expect((await huge.closed).code).not.toBe(1000);
    using flood = await EventListener.open(phones.server.websocket);
    for (let i = 0; i < 500; i++) flood.socket.send("x");
    expect((await flood.closed).code).toBe(1008);
    await phone.lift();
    await good.event("off_hook");
    await talker.event("off_hook");
    await phone.hangUp();
  });

  test("one that never reads delays nobody", async () => {
    const { line, phone } = freshLine();
    // A socket of our own that is never read: Bun's client would read ahead.
    const port = Number(new URL(phones.server.rest).port);
    const lazy = connect(port, "127.0.0.1");
    const answered = new Promise<string>((resolve) => lazy.once("data", (bytes) => resolve(bytes.toString())));
    lazy.write(
      // A host as short as that is a trap of its own: routers cut URLs by counting letters.
      "GET /ws HTTP/1.1\r\nHost: pi\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    expect(await answered).toStartWith("HTTP/1.1 101");
    lazy.pause();
    using good = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    await phone.lift();
    await phone.press("0123456789*#ABCD".repeat(4), { on_ms: 50, off_ms: 50 });
    await phone.hangUp();
    await good.event("on_hook");
    expect(good.frames.filter(({ type }) => type === "dtmf")).toHaveLength(64);
    lazy.destroy();
  });
});
