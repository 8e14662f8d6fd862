/** Digits and announcements, from outside: requests that wait, keys that are pressed meanwhile, clients that go. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { EventListener, get, type Json, post } from "../support/client";
import { untilGathering } from "../support/gathering";
import { eventually, ROOT } from "../support/server";
import { refused, sharedTelephones } from "../support/shared_telephones";

const phones = sharedTelephones(12, 1); // the first is the menu's
const { freshLine } = phones;
/** No finger and no machine is so slow; an emulated one may be much faster than we. */
const PATIENT = { timeout: 600, inter_digit_timeout: 600 };
const eventsOf = (line: number): Promise<EventListener> =>
  EventListener.open(`${phones.server.websocket}?line=${line}`);

describe("POST /gather", () => {
  test("a prompt, keys in the middle of it, the key that ends them", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const answered = post(`${url}/gather`, { prompt: { tone: "dial" }, ...PATIENT });
    await events.event("playback_started");
    await phone.press("0815#");
    const { status, body } = await answered;
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { status: "success", digits: "0815", reason: "finish_key", finish_key: "#", played: "part" },
    });
    expect(Number(body.heard_ms)).toBeLessThanOrEqual(Number(body.duration_ms));
    const { status: _, ...fields } = body;
    expect(await events.event("gather_finished", { gather_id: String(body.gather_id) })).toMatchObject(fields);
    const told = events.types();
    expect(told.lastIndexOf("dtmf")).toBeLessThan(told.indexOf("gather_finished"));
    await phone.hangUp();
  });

  test("a dial, a pattern, and nothing at all", async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    const digits = async (wishes: Json, finger: () => Promise<void>): Promise<Json> => {
      const answered = post(`${url}/gather`, { ...PATIENT, ...wishes });
      await untilGathering(url);
      await finger();
      return (await answered).body;
    };
    expect(await digits({ pattern: "1XX|0" }, () => phone.pulse("0"))).toMatchObject({
      digits: "0",
      reason: "complete",
      finish_key: null,
      heard_ms: 0,
      played: "none",
    });
    expect(await digits({ pattern: "1XX|0" }, () => phone.press("15*"))).toMatchObject({
      digits: "15*",
      reason: "no_match",
    });
    const { body: nothing } = await post(`${url}/gather`, { timeout_ms: 200 });
    expect(nothing).toMatchObject({ digits: "", reason: "timeout" });
    expect(Number(nothing.duration_ms)).toBeGreaterThanOrEqual(200);
    await phone.hangUp();
  });

  test("wait=false answers at once; hanging up ends it", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    refused(await post(`${url}/gather`), 409, "line_on_hook");
    refused(await post(`${url}/gather/stop`), 409, "not_gathering");
    const { body } = await post(`${url}/gather?wait=false&when=off_hook`, PATIENT);
    expect(Object.keys(body).sort()).toEqual(["gather_id", "status"]);
    refused(await post(`${url}/gather?when=off_hook`), 409, "gather_active");
    await phone.lift();
    await phone.press("12");
    await events.event("dtmf", { digit: "2" });
    await phone.hangUp();
    expect(await events.event("gather_finished")).toMatchObject({
      gather_id: body.gather_id,
      digits: "12",
      reason: "hung_up",
    });
  });

  test("stop answers both", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const waiting = post(`${url}/gather`, PATIENT);
    await untilGathering(url);
    await phone.press("4");
    await events.event("dtmf");
    const { body } = await post(`${url}/gather/stop`);
    expect(body).toMatchObject({ status: "success", reason: "stopped" });
    expect((await waiting).body).toEqual(body);
    await phone.hangUp();
  });

  test.each<[string, Json]>([
    ["abort", {}],
    ["end", {}],
  ])("a client that goes ends it (%s); one that did not wait does not", async (how) => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const { hostname, port } = new URL(phones.server.rest);
    const socket = await Bun.connect({ hostname, port: Number(port), socket: { data: () => undefined } });
    const body = '{"timeout": 600}';
    socket.write(
      `POST /lines/${line}/gather HTTP/1.1\r\nHost: phone\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await untilGathering(url);
    if (how === "abort") socket.terminate();
    else socket.end();
    expect(await events.event("gather_finished")).toMatchObject({ reason: "stopped" });
    const { body: unwaited } = await post(`${url}/gather`, { wait: false, timeout_ms: 300 });
    expect(await events.event("gather_finished", { gather_id: String(unwaited.gather_id) })).toMatchObject({
      reason: "timeout",
    });
    await phone.hangUp();
  });

  test.each<[Json, string]>([
    [{ max_digits: 0 }, "max_digits"],
    [{ max_digits: "4" }, "max_digits"],
    [{ finish_on_key: "any" }, "finish_on_key"],
    [{ finish_on_key: "5", pattern: "XX" }, "finish_on_key"],
    [{ timeout_ms: 5 }, "timeout_ms"],
    [{ timeout: 5000 }, "timeout"],
    [{ timeout: 5, timeout_ms: 5000 }, "timeout"],
    [{ inter_digit_timeout: "soon" }, "inter_digit_timeout"],
    [{ pattern: "(a+)+$" }, "pattern"],
    [{ pattern: "" }, "pattern"],
    [{ barge_in: "voice" }, "barge_in"],
    [{ prompt: 7 }, "prompt"],
    [{ prompt: { tone: "dial", prompt: "x" } }, "url"],
    [{ prompt: { tone: "shrill" } }, "tone"],
    [{ prompt: { tone: "dial", volume: 11 } }, "prompt.volume"],
    [{ when: "later" }, "when"],
    [{ digits: 4 }, "digits"],
  ])("refuses %p and changes nothing", async (wishes, field) => {
    const url = `${phones.server.rest}/lines/12`;
    const { status, body } = await post(`${url}/gather?when=off_hook&wait=false`, wishes);
    expect({ status, body }).toMatchObject({ status: 422, body: { code: "invalid_input", errors: [{ field }] } });
    refused(await post(`${url}/gather/stop`), 409, "not_gathering");
  });

  test("a prompt that there is not, says so", async () => {
    refused(
      await post(`${phones.server.rest}/lines/12/gather?when=off_hook`, { prompt: "nowhere" }),
      404,
      "unknown_prompt",
    );
  });
});

describe("POST /announce", () => {
  test("rings, is heard, asks", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    const answered = post(`${url}/announce`, {
      tone: "busy",
      caller_id: { name: "Door" },
      gather: { max_digits: 1, ...PATIENT },
      repeat: 20,
    });
    await events.event("ring_start");
    refused(await post(`${url}/announce`, { tone: "busy" }), 409, "announcement_active");
    await phone.lift();
    await events.event("playback_started");
    await phone.press("7");
    const { body } = await answered;
    expect(body).toMatchObject({
      status: "success",
      outcome: "completed",
      digits: "7",
      gather_reason: "complete",
      finish_key: null,
      played: "part",
    });
    expect(Number(body.answered_after_ms)).toBeGreaterThanOrEqual(0);
    expect(await events.event("announce_finished")).toMatchObject({ announce_id: body.announce_id, digits: "7" });
    await phone.hangUp();
  });

  test("is not answered, busy, or hung up on", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    const { body: unanswered } = await post(`${url}/announce`, { tone: "busy", max_ring_seconds: 0.5 });
    expect(unanswered).toMatchObject({
      outcome: "not_answered",
      answered_after_ms: null,
      heard_ms: 0,
      played: "none",
    });
    expect(unanswered).not.toHaveProperty("digits");
    await phone.lift();
    const { body: busy } = await post(`${url}/announce`, { tone: "busy", when_lifted: "busy" });
    expect(busy).toMatchObject({ outcome: "busy", played: "none" });
    const answered = post(`${url}/announce`, { tone: "busy", repeat: 20 });
    await events.event("playback_started");
    // Begun is not heard yet: a hand may be quicker than a block.
    await eventually(
      () => phone.ear(30),
      (ear) => ear.some((sample) => Math.abs(sample) > 500),
    );
    await phone.hangUp();
    expect((await answered).body).toMatchObject({ outcome: "hung_up", played: "part", answered_after_ms: null });
  });

  test("a client that goes takes the bell with it; stop and wait=false as well", async () => {
    const { line, url } = freshLine();
    using events = await eventsOf(line);
    const gone = new AbortController();
    const request = fetch(`${url}/announce`, {
      method: "POST",
      body: '{"tone": "busy"}',
      signal: gone.signal,
    }).catch(() => "gone");
    await events.event("ring_start");
    gone.abort();
    expect(await request).toBe("gone");
    await events.event("ring_stop", { reason: "stopped" });
    expect(await events.event("announce_finished")).toMatchObject({ outcome: "stopped" });
    const { body } = await post(`${url}/announce?wait=false`, { tone: "busy" });
    expect(Object.keys(body).sort()).toEqual(["announce_id", "status"]);
    expect((await get(`${url}/status`)).body.state).toBe("RINGING");
    expect((await post(`${url}/announce/stop`)).body).toMatchObject({
      announce_id: body.announce_id,
      outcome: "stopped",
    });
    refused(await post(`${url}/announce/stop`), 409, "not_announcing");
  });

  test.each<[Json, string]>([
    [{}, "url"],
    [{ tone: "busy", say: "hello" }, "url"],
    [{ tone: "busy", ring_pattern: "LOUD" }, "ring_pattern"],
    [{ tone: "busy", max_ring_seconds: 0 }, "max_ring_seconds"],
    [{ tone: "busy", pause_ms: -1 }, "pause_ms"],
    [{ tone: "busy", repeat: 0 }, "repeat"],
    [{ tone: "busy", when_lifted: "wait" }, "when_lifted"],
    [{ tone: "busy", gather: { max_digits: 0 } }, "gather.max_digits"],
    [{ tone: "busy", gather: { prompt: "x" } }, "gather.prompt"],
    [{ tone: "busy", caller_id: { number: "x" } }, "caller_id.number"],
    [{ tone: "busy", volume: 11 }, "volume"],
  ])("refuses %p and rings nobody", async (wishes, field) => {
    const url = `${phones.server.rest}/lines/12`;
    const { status, body } = await post(`${url}/announce?wait=false`, wishes);
    expect({ status, body }).toMatchObject({ status: 422, body: { code: "invalid_input", errors: [{ field }] } });
    expect((await get(`${url}/status`)).body.state).toBe("IDLE");
  });
});

const PYTHON = "/usr/bin/python3";

test("examples/menu.py asks, listens and answers", async () => {
  const phone = phones.telephone(1);
  using events = await eventsOf(1);
  const menu = Bun.spawn([PYTHON, join(ROOT, "examples/menu.py"), phones.server.rest], {
    stdout: "pipe",
    stderr: "inherit",
  });
  let said = "";
  void (async () => {
    for await (const chunk of menu.stdout) said += new TextDecoder().decode(chunk);
  })();
  const saying = (words: string): Promise<string> =>
    eventually(
      () => said,
      (text) => text.includes(words),
    );
  try {
    // A key counts once its question is asked: each waits for the sound that it answers.
    const playing = (count: number): Promise<number> =>
      eventually(
        () => events.types().filter((type) => type === "playback_started").length,
        (started) => started >= count,
      );
    await saying("lift the handset");
    await phone.lift();
    await playing(1);
    await phone.press("2");
    await saying("chosen 2 complete");
    await playing(2);
    await phone.press("15#");
    await saying("minutes 15 finish_key");
    await playing(3);
    await phone.hangUp();
    await phone.lift();
    await playing(4);
    await phone.press("9");
    await saying("chosen 9 no_match");
    await phone.hangUp();
  } finally {
    menu.kill();
    await menu.exited;
  }
});
