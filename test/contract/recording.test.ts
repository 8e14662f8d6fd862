/** Recording, from outside: a process, its files, its telephones. */
import { beforeAll, describe, expect, test } from "bun:test";
import { EventListener, get, type Json, post, request } from "../support/client";
import { bestLag } from "../support/correlation";
import { samplesIn, soundOf } from "../support/recordings";
import { eventually } from "../support/server";
import { refused, sharedTelephones } from "../support/shared_telephones";
import { noise } from "../support/stepped";

const phones = sharedTelephones(12);
const { freshLine } = phones;
const started = async (url: string, wishes: Json = {}): Promise<string> => {
  const { status, body } = await post(`${url}/record`, wishes);
  expect({ status, body }).toMatchObject({ status: 200, body: { status: "success" } });
  return String(body.recording_id);
};
const audio = async (id: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${phones.server.rest}/recordings/${id}/audio`, { headers });
const sound = async (id: string) => soundOf(new Uint8Array(await (await audio(id)).arrayBuffer()));
const eventsOf = (line: number): Promise<EventListener> =>
  EventListener.open(`${phones.server.websocket}?line=${line}`);

describe("POST /record", () => {
  test("keeps what the telephone says; stop answers when the file is there", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const id = await started(url);
    const said = noise(8000, 31);
    await phone.speak(said as Int16Array<ArrayBuffer>);
    refused(await post(`${url}/record`, {}), 409, "recording_active");
    refused(
      await request(`${phones.server.rest}/recordings/${id}`, { method: "DELETE" }),
      409,
      "recording_active",
    );
    refused(await get(`${phones.server.rest}/recordings/${id}/audio`), 409, "recording_active");
    expect((await get(`${phones.server.rest}/recordings/${id}`)).body).toMatchObject({
      state: "recording",
      reason: null,
    });
    const { body } = await post(`${url}/record/stop`);
    expect(body).toMatchObject({
      status: "success",
      recording_id: id,
      reason: "stopped",
      state: "finished",
      lost_ms: 0,
    });
    const told = await events.event("recording_finished", { recording_id: id });
    expect(told).toMatchObject({ reason: "stopped", duration_ms: body.duration_ms, bytes: body.bytes });
    expect(events.types().indexOf("recording_started")).toBeLessThan(events.types().indexOf("recording_finished"));
    const { caller } = await sound(id);
    expect(bestLag(caller, said.subarray(0, 2000)).likeness).toBeGreaterThan(0.98);
    const flac = await fetch(`${phones.server.rest}/recordings/${id}/audio?format=flac`);
    expect([flac.status, flac.headers.get("content-type")]).toEqual([200, "audio/flac"]);
    expect(await samplesIn(await flac.bytes())).toEqual(caller);
    refused(await get(`${phones.server.rest}/recordings/${id}/audio?format=mp3`), 422, "invalid_input");
    refused(await post(`${url}/record/stop`), 409, "not_recording");
    refused(await post(`${url}/record/pause`), 409, "not_recording");
    refused(await post(`${url}/record/resume`), 409, "not_recording");
    await phone.hangUp(); // a rig's telephones are the next suite's too
  });

  test("is refused on-hook, and waits for the lift where it is told to", async () => {
    const { line, url, phone } = freshLine();
    refused(await post(`${url}/record`, {}), 409, "line_on_hook");
    const id = await started(url, { when: "off_hook", source: "both" });
    using events = await eventsOf(line);
    expect((await get(`${phones.server.rest}/recordings/${id}`)).body).toMatchObject({
      state: "waiting",
      bytes: 0,
      line,
    });
    await phone.lift();
    await events.event("recording_started", { recording_id: id });
    await eventually(
      () => get(`${phones.server.rest}/recordings/${id}`),
      ({ body }) => Number(body.duration_ms) >= 500,
    );
    await phone.hangUp();
    const { reason, bytes } = await events.event("recording_finished", { recording_id: id });
    expect(reason).toBe("hung_up");
    expect((await audio(id)).headers.get("content-length")).toBe(String(bytes));
  });

  test("ends at max_duration, in silence, at a key; beeps and pauses", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const shortest = await started(url, { max_duration: 700 });
    expect(await events.event("recording_finished", { recording_id: shortest })).toMatchObject({
      reason: "max_duration",
      duration_ms: 700,
      bytes: 44 + 700 * 16,
    });
    const silent = await started(url, { silence_timeout: 600 });
    expect(await events.event("recording_finished", { recording_id: silent })).toMatchObject({
      reason: "silence",
    });
    const keyed = await started(url, { finish_on_key: "#", beep: true });
    await events.event("recording_started", { recording_id: keyed });
    await phone.press("#");
    expect(await events.event("recording_finished", { recording_id: keyed })).toMatchObject({
      reason: "finish_key",
    });
    const paused = await started(url);
    expect((await post(`${url}/record/pause`)).body).toMatchObject({ state: "paused" });
    expect((await post(`${url}/record/pause`)).status).toBe(200);
    expect((await post(`${url}/record/resume`)).body).toMatchObject({ state: "recording" });
    expect((await post(`${url}/record/stop`)).body).toMatchObject({ recording_id: paused, reason: "stopped" });
    await phone.hangUp();
  });

  test.each([
    [{ max_duration: 0 }, "max_duration"],
    [{ max_duration: 1e9 }, "max_duration"],
    [{ silence_timeout: 20 }, "silence_timeout"],
    [{ finish_on_key: "x" }, "finish_on_key"],
    [{ finish_on_key: "" }, "finish_on_key"],
    [{ source: "room" }, "source"],
    [{ format: "mp3" }, "format"],
    [{ when: "later" }, "when"],
    [{ volume: 11 }, "volume"],
  ])("refuses %p and changes nothing", async (wishes, field) => {
    const { body } = await post(`${phones.server.rest}/lines/12/record?when=off_hook`, wishes);
    expect(body).toMatchObject({ code: "invalid_input", errors: [{ field }] });
    refused(await post(`${phones.server.rest}/lines/12/record/stop`), 409, "not_recording");
  });
});

describe("/recordings", () => {
  let id: string;
  let whole: Uint8Array;
  beforeAll(async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    id = await started(url, { max_duration: 500 });
    await eventually(
      () => get(`${phones.server.rest}/recordings/${id}`),
      ({ body }) => body.state === "finished",
    );
    whole = new Uint8Array(await (await audio(id)).arrayBuffer());
    await phone.hangUp();
  });

  test("lists, and tells of one", async () => {
    const { body } = await get(`${phones.server.rest}/recordings`);
    const listed = (body.recordings as Json[]).find((each) => each.id === id);
    const one = await get(`${phones.server.rest}/recordings/${id}`);
    expect(one.body).toEqual(listed as Json);
    expect(one.body).toMatchObject({ state: "finished", duration_ms: 500, bytes: 8044, source: "caller" });
    expect(String(one.body.started)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const ids = (body.recordings as Json[]).map((each) => String(each.id));
    expect(ids).toEqual([...ids].sort());
    const ofLine = await get(`${phones.server.rest}/recordings?line=${one.body.line}`);
    expect((ofLine.body.recordings as Json[]).every(({ line }) => line === one.body.line)).toBe(true);
    refused(await get(`${phones.server.rest}/recordings?line=x`), 422, "invalid_input");
  });

  test("gives the sound in ranges, with an ETag", async () => {
    const all = await audio(id);
    expect([all.status, all.headers.get("content-type"), all.headers.get("accept-ranges")]).toEqual([
      200,
      "audio/wav",
      "bytes",
    ]);
    expect(all.headers.get("content-length")).toBe("8044");
    expect(all.headers.get("content-range")).toBeNull();
    const etag = all.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const [range, from, to] of [
      ["bytes=0-43", 0, 44],
      ["bytes=44-", 44, 8044],
      ["bytes=-100", 7944, 8044],
      ["bytes=8000-9000", 8000, 8044],
    ] as const) {
      const part = await audio(id, { range });
      expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes ${from}-${to - 1}/8044`]);
      expect(part.headers.get("content-length")).toBe(String(to - from));
      expect(new Uint8Array(await part.arrayBuffer())).toEqual(whole.slice(from, to));
    }
    const outside = await request(`${phones.server.rest}/recordings/${id}/audio`, {
      headers: { range: "bytes=8044-" },
    });
    refused(outside, 416, "range_not_satisfiable");
    expect(outside.headers.get("content-range")).toBe("bytes */8044");
    expect((await audio(id, { range: "bytes=0-9", "if-range": etag })).status).toBe(206);
    expect((await audio(id, { range: "bytes=0-9", "if-range": '"other"' })).status).toBe(200);
    expect((await audio(id, { range: "bytes=0-1,4-5" })).status).toBe(200);
    expect((await audio(id, { "if-none-match": etag })).status).toBe(304);
  });

  test("deletes, for ever", async () => {
    const gone = await fetch(`${phones.server.rest}/recordings/${id}`, { method: "DELETE" });
    expect([gone.status, await gone.text()]).toEqual([204, ""]);
    refused(await get(`${phones.server.rest}/recordings/${id}`), 404, "unknown_recording");
    refused(await get(`${phones.server.rest}/recordings/${id}/audio`), 404, "unknown_recording");
    refused(
      await request(`${phones.server.rest}/recordings/${id}`, { method: "DELETE" }),
      404,
      "unknown_recording",
    );
  });

  test.each(["..%2f..%2fetc%2fpasswd", "%2e%2e%2fx", "x.json", "00000000-0000-7000-8000-000000000000", "%00"])(
    "knows no %s, and shows no path",
    async (name) => {
      for (const path of [`/recordings/${name}`, `/recordings/${name}/audio`]) {
        const { status, body } = await request(`${phones.server.rest}${path}`);
        expect(status).toBe(404);
        expect(JSON.stringify(body)).not.toMatch(/\/(tmp|var|home|etc)/);
      }
      expect((await fetch(`${phones.server.rest}/recordings/${name}`, { method: "DELETE" })).status).toBe(404);
    },
  );

  test("a wrong method is told the right ones", async () => {
    const answer = await post(`${phones.server.rest}/recordings/${id}`);
    refused(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe("GET, DELETE");
  });
});
