/** Announcements whose sound comes with the request: in a form beside its options, or as the body. */
import { describe, expect, test } from "bun:test";
import { encodeWav } from "../../src/audio/wav";
import { type Answer, EventListener, get, request } from "../support/client";
import { throughMulaw } from "../support/companding";
import { FORM_TYPE, fileHead } from "../support/forms";
import { eventually } from "../support/server";
import { refused, sharedTelephones } from "../support/shared_telephones";
import { find, noise } from "../support/stepped";

const phones = sharedTelephones(8);
const { freshLine } = phones;
const eventsOf = (line: number): Promise<EventListener> =>
  EventListener.open(`${phones.server.websocket}?line=${line}`);

const words = noise(8000, 11);
const wav = encodeWav(words);

function form(options: unknown, sound: Uint8Array<ArrayBuffer> | null = wav, optionsFirst = true): FormData {
  const made = new FormData();
  const tell = (): void => {
    if (options !== undefined)
      made.set("options", typeof options === "string" ? options : JSON.stringify(options));
  };
  if (optionsFirst) tell();
  if (sound) made.set("audio", new Blob([sound]), "words.wav");
  if (!optionsFirst) tell();
  return made;
}
const announce = (url: string, body: FormData | Uint8Array<ArrayBuffer>, query = ""): Promise<Answer> =>
  request(`${url}/announce${query}`, { method: "POST", body });

describe("POST /announce with a sound", () => {
  test("rings, is heard, asks: in a form", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    const options = { caller_id: { name: "Door" }, pause_ms: 100, gather: { max_digits: 1, timeout_ms: 20_000 } };
    const answered = announce(url, form(options));
    await events.event("ring_start");
    await phone.lift();
    await events.event("playback_finished");
    await phone.press("7");
    expect((await answered).body).toMatchObject({
      status: "success",
      outcome: "completed",
      played: "whole",
      heard_ms: 1000,
      digits: "7",
      gather_reason: "complete",
    });
    await eventually(
      async () => find(await phone.ear(30), throughMulaw(words)),
      (at) => at >= 0,
    );
    await phone.hangUp();
  });

  test("as the body, with the options in the query", async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    const gather = encodeURIComponent('{"max_digits":1,"timeout_ms":100}');
    const raw = new Uint8Array(words.buffer as ArrayBuffer);
    for (const body of [wav, raw]) {
      const { body: told } = await announce(url, body, `?repeat=2&gather=${gather}`);
      expect(told).toMatchObject({ outcome: "completed", heard_ms: 2000, digits: "", gather_reason: "timeout" });
    }
    await phone.hangUp();
  });

  test("options may come behind a sound that is read ahead as a whole, as a Blob, or not at all", async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    const blob = form(undefined);
    blob.set("options", new Blob(['{"when_lifted":"busy"}'], { type: "application/json" }));
    for (const body of [form({ when_lifted: "busy" }, wav, false), blob]) {
      expect((await announce(url, body)).body).toMatchObject({ outcome: "busy" });
    }
    expect((await announce(url, form(undefined), "?when_lifted=busy")).body).toMatchObject({ outcome: "busy" });
    expect((await announce(url, form(undefined))).body).toMatchObject({ outcome: "completed", played: "whole" });
    await phone.hangUp();
  });

  test("a longer sound has them ahead of it", async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    const long = encodeWav(new Int16Array(5 * 1024 * 1024));
    for (const body of [form({ when_lifted: "busy" }, long, false), form(undefined, long)]) {
      const answer = await announce(url, body);
      expect(refused(answer, 422, "invalid_input")).toMatchObject({ errors: [{ field: "options" }] });
    }
    expect((await announce(url, form({ when_lifted: "busy" }, long))).body).toMatchObject({ outcome: "busy" });
    await phone.hangUp();
  });

  test("wait=false answers when the bell rings", async () => {
    const { url } = freshLine();
    const { body } = await announce(url, form({ wait: false }));
    expect(Object.keys(body).sort()).toEqual(["announce_id", "status"]);
    expect((await get(`${url}/status`)).body.state).toBe("RINGING");
    const { body: stopped } = await request(`${url}/announce/stop`, { method: "POST" });
    expect(stopped).toMatchObject({ announce_id: body.announce_id, outcome: "stopped" });
  });

  test("a client that goes in the middle of the sound takes the bell with it", async () => {
    const { line, url } = freshLine();
    using events = await eventsOf(line);
    const gone = new AbortController();
    const { body: sent, send } = held();
    const answered = fetch(`${url}/announce?wait=false`, {
      method: "POST",
      body: sent,
      signal: gone.signal,
      headers: { "content-type": FORM_TYPE },
    }).catch(() => "gone");
    const options = 'Content-Disposition: form-data; name="options"\r\n\r\n{}';
    send(new TextEncoder().encode(`--form\r\n${options}\r\n`));
    send(fileHead("audio"));
    send(wav.subarray(0, 4000));
    await events.event("ring_start");
    gone.abort();
    expect(await answered).toBe("gone");
    await events.event("ring_stop", { reason: "stopped" });
    expect(await events.event("announce_finished")).toMatchObject({ outcome: "stopped" });
  });

  test.each<[string, FormData, string]>([
    ["a name beside it", form({ say: "hello" }), "say"],
    ["a voice beside it", form({ language: "de" }), "language"],
    ["options that are no JSON", form("max_ring_seconds=3"), "options"],
    ["options that are no object", form("[1]"), "options"],
    ["an option that there is not", form({ volume: 11 }), "volume"],
    ["an option that it may not be", form({ max_ring_seconds: 0 }), "max_ring_seconds"],
    ["one of its gather", form({ gather: { max_digits: 0 } }), "gather.max_digits"],
    ["one of its caller", form({ caller_id: { number: "x" } }, wav, false), "caller_id.number"],
  ])("refuses %s and rings nobody", async (_, body, field) => {
    const url = `${phones.server.rest}/lines/8`;
    expect(refused(await announce(url, body, "?wait=false"), 422, "invalid_input")).toMatchObject({
      errors: [{ field }],
    });
    expect((await get(`${url}/status`)).body.state).toBe("IDLE");
  });

  test.each<[string, FormData | Uint8Array<ArrayBuffer>, string, number, string]>([
    ["no sound in the form", form({ max_ring_seconds: 1 }, null), "", 422, "no_file"],
    ["a name in the form alone", form({ tone: "busy" }, null), "", 422, "no_file"],
    ["an empty file", form({}, new Uint8Array(0)), "", 422, "empty"],
    ["no sound at all", new Uint8Array(0), "", 422, "invalid_input"],
    [
      "what is no sound",
      form({}, new TextEncoder().encode("FORM1234AIFF and more")),
      "",
      415,
      "unsupported_format",
    ],
    ["a WAV that is cut short", wav.slice(0, 300), "", 422, "truncated"],
    ["two sounds", wav, "?say=hello", 422, "invalid_input"],
    [
      "what is too long to be repeated",
      encodeWav(new Int16Array(5 * 1024 * 1024)),
      "?repeat=2",
      422,
      "too_long_to_loop",
    ],
  ])("refuses %s, and rings nobody", async (_, body, query, status, code) => {
    const url = `${phones.server.rest}/lines/8`;
    refused(await announce(url, body, query), status, code);
    expect((await get(`${url}/status`)).body.state).toBe("IDLE");
  });
});

function held() {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(c) {
      controller = c;
    },
  });
  return { body, send: (bytes: Uint8Array) => controller.enqueue(bytes) };
}
