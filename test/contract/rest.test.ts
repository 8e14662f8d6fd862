/** contract.md, REST: one test for each promise. Each test has a server of its own line, or of its own. */
import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020";
import { card } from "../support/backend";
import { EventListener, get, type Json, post, request } from "../support/client";
import { eventually } from "../support/server";
import { refused, sharedTelephones } from "../support/shared_telephones";

const phones = sharedTelephones(12, 1);
const { freshLine } = phones;

describe("state", () => {
  test("GET /status has the contract's fields", async () => {
    const { status, body } = await get(`${phones.server.rest}/status`);
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(
      [
        "audio_format",
        "call_stats",
        "dtmf_history",
        "error_message",
        "is_voice_active",
        "last_dtmf",
        "last_update",
        "message_waiting",
        "line",
        "line_voltage",
        "state",
      ].sort(),
    );
    expect(body).toMatchObject({
      line: 1,
      state: "IDLE",
      last_dtmf: null,
      dtmf_history: [],
      is_voice_active: false,
      audio_format: { sample_rate: 8000, channels: 1, bit_depth: 16 },
      error_message: null,
      call_stats: {
        total_calls: 0,
        successful_calls: 0,
        failed_calls: 0,
        average_duration: 0,
        last_call_timestamp: null,
        dtmf_digits_received: 0,
      },
    });
    expect(String(body.last_update)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test("the flat verb is the default line's twin, on both ports", async () => {
    const flat = await get(`${phones.server.rest}/status`);
    const twin = await get(`${phones.server.rest}/lines/1/status`);
    const otherPort = await get(`${phones.server.websocket.replace("ws:", "http:").replace("/ws", "")}/status`);
    expect(twin.body).toEqual(flat.body);
    expect(otherPort.body).toEqual(flat.body);
  });

  test("GET /lines lists the lines", async () => {
    const { body } = await get(`${phones.server.rest}/lines`);
    expect((body.lines as Json[]).map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(body.default_line).toBe(1);
    expect((await get(`${phones.server.rest}/lines/3`)).body).toMatchObject({ line: 3 });
  });

  test("GET /voltage measures, or says that it cannot", async () => {
    const { url, phone } = freshLine();
    if (card === "local") {
      const nothing = { voltage: null, status: "unsupported", min_voltage: null, max_voltage: null };
      expect((await get(`${url}/voltage`)).body).toMatchObject(nothing);
      return;
    }
    const { body } = await eventually(
      () => get(`${url}/voltage`),
      ({ body }) => body.voltage !== null,
    );
    expect(body).toMatchObject({ status: "normal", voltage: 48, min_voltage: 48, max_voltage: 48 });
    await phone.lift();
    await eventually(
      () => get(`${url}/voltage`),
      ({ body }) => (body.min_voltage as number) < 20,
    );
    await phone.hangUp();
  });

  test("GET /diagnostics counts, and knows the I/O thread", async () => {
    const first = (await get(`${phones.server.rest}/diagnostics`)).body as { io: { rx_blocks: number } };
    const { body } = await eventually(
      () => get(`${phones.server.rest}/diagnostics`),
      ({ body }) => (body as typeof first).io.rx_blocks > first.io.rx_blocks,
    );
    expect(body).toMatchObject({
      hardware: {
        driver: card === "simulated" ? "simulated" : "dahdi",
        in_service: true,
        signalling: "fxoks",
        fault: null,
      },
      capabilities: { voltage: card !== "local" },
    });
    expect(typeof (body.engine as Json).events_lost).toBe("number");
  });

  test("GET /health, /ready, /config", async () => {
    expect((await get(`${phones.server.rest}/health`)).body.status).toBe("ok");
    expect((await get(`${phones.server.rest}/ready`)).body.status).toBe("ready");
    expect(((await get(`${phones.server.rest}/config`)).body.server as Json).host).toBeString();
  });
});

describe("ringing", () => {
  test("an empty body rings NORMAL, stop-ring ends it, idle is no error", async () => {
    const { url } = freshLine();
    expect((await post(`${url}/ring`)).body).toEqual({
      status: "success",
      pattern: "NORMAL",
      repeat: 1,
      duration: null,
    });
    // One that does not end by itself before a busy machine has looked.
    await post(`${url}/ring`, { pattern: "CONTINUOUS" });
    expect((await get(`${url}/status`)).body.state).toBe("RINGING");
    expect((await post(`${url}/stop-ring`)).body).toEqual({ status: "success", was_ringing: true });
    expect((await get(`${url}/status`)).body.state).toBe("IDLE");
    expect((await post(`${url}/stop-ring`)).body).toEqual({ status: "success", was_ringing: false });
  });

  test("parameters may stand in the query; the body wins", async () => {
    const { url } = freshLine();
    const queried = await post(`${url}/ring?pattern=urgent&repeat=2&duration=5000`);
    expect(queried.body).toMatchObject({ pattern: "URGENT", repeat: 2, duration: 5000 });
    const both = await post(`${url}/ring?pattern=urgent&repeat=2`, { pattern: "single" });
    expect(both.body).toMatchObject({ pattern: "SINGLE", repeat: 2 });
    await post(`${url}/stop-ring`);
  });

  test("a lift answers it; ringing a lifted telephone is 409", async () => {
    const { url, line, phone } = freshLine();
    using events = await EventListener.open(`${phones.server.websocket}?line=${line}`);
    await post(`${url}/ring`, { pattern: "CONTINUOUS" });
    await events.event("ring_start", { pattern: "CONTINUOUS", repeat: 0 });
    await phone.lift();
    await events.event("ring_stop", { reason: "answered" });
    expect(await events.event("off_hook")).toMatchObject({ answered: true, line });
    expect((await get(`${url}/status`)).body.state).toBe("IN_CALL");
    refused(await post(`${url}/ring`), 409, "line_off_hook");
    await phone.hangUp();
    await events.event("on_hook");
    const { call_stats } = (await get(`${url}/status`)).body as { call_stats: Json };
    expect(call_stats).toMatchObject({ total_calls: 1, successful_calls: 1, failed_calls: 0 });
  });

  test.each([
    ["unequal lists", { custom_pattern: { on_times: [100, 100], off_times: [100] } }, "custom_pattern.off_times"],
    ["an on-time of 0", { custom_pattern: { on_times: [0], off_times: [0] } }, "custom_pattern.on_times[0]"],
    [
      "an inner off-time of 0",
      { custom_pattern: { on_times: [9, 9], off_times: [0, 0] } },
      "custom_pattern.off_times[0]",
    ],
    [
      "too many bursts",
      { custom_pattern: { on_times: Array(33).fill(9), off_times: Array(33).fill(9) } },
      "custom_pattern.on_times",
    ],
    ["an unknown pattern", { pattern: "LOUD" }, "pattern"],
    ["an unknown key", { patern: "NORMAL" }, "patern"],
    ["a wrong type", { repeat: "many" }, "repeat"],
    ["a fraction", { repeat: 1.5 }, "repeat"],
    ["a negative duration", { duration: -1 }, "duration"],
  ])("%s is 422 and names the field", async (_, body, field) => {
    const { errors } = refused(await post(`${phones.server.rest}/ring`, body), 422, "invalid_input");
    expect((errors as Json[]).map((error) => error.field)).toContain(field);
    expect((await get(`${phones.server.rest}/status`)).body.state).toBe("IDLE");
  });
});

describe("errors", () => {
  test("unknown lines and paths are 404, wrong methods 405 with Allow", async () => {
    refused(await get(`${phones.server.rest}/lines/99/status`), 404, "unknown_line");
    refused(await get(`${phones.server.rest}/lines/abc/status`), 404, "unknown_line");
    refused(await get(`${phones.server.rest}/nothing`), 404, "unknown_path");
    const wrong = await get(`${phones.server.rest}/ring`);
    refused(wrong, 405, "method_not_allowed");
    expect(wrong.headers.get("allow")).toBe("POST");
    refused(await request(`${phones.server.rest}/status`, { method: "DELETE" }), 405, "method_not_allowed");
  });

  test("malformed JSON is 400, another type 415, another shape 422", async () => {
    const send = (body: string, type = "application/json") =>
      request(`${phones.server.rest}/ring`, { method: "POST", body, headers: { "content-type": type } });
    refused(await send("{bad"), 400, "malformed_json");
    refused(await send("<ring/>", "text/xml"), 415, "unsupported_media_type");
    refused(await send("[]"), 422, "invalid_input");
  });

  test("more than is allowed is 413 at once where its length is announced", async () => {
    const body = new Blob([new Uint8Array(65 * 1024 * 1024)]);
    refused(await request(`${phones.server.rest}/play-audio`, { method: "POST", body }), 413, "body_too_large");
    expect((await get(`${phones.server.rest}/status`)).status).toBe(200);
  });
});

describe("the documentation", () => {
  test("describes every operation with its problems, and the events", async () => {
    const { body } = await get(`${phones.server.rest}/openapi.json`);
    const paths = body.paths as Record<string, Record<string, Json>>;
    expect(Object.keys(paths)).toContain("/ws");
    const ajv = new Ajv2020({ strict: false });
    const { responses: problems } = body.components as { responses: Record<string, Json> };
    for (const problem of Object.values(problems))
      expect(problem).toMatchObject({
        content: { "application/problem+json": { example: { code: expect.any(String) } } },
      });
    for (const type of ["off_hook", "dtmf", "voice", "ring_stop", "flash", "error"]) {
      expect(String(paths["/ws"]?.get?.description)).toContain(`"type":"${type}"`);
    }
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        expect(typeof operation.summary).toBe("string");
        const answers = Object.keys(operation.responses as Json);
        expect(answers.some((status) => Number(status) >= 400)).toBe(true);
        for (const answer of Object.values(operation.responses as Record<string, { $ref?: string }>))
          if (answer.$ref) expect(Object.keys(problems)).toContain(String(answer.$ref.split("/").at(-1)));
        const { requestBody } = operation as { requestBody?: { content: Record<string, Json> } };
        const json = requestBody?.content["application/json"];
        // An example that works when pressed: it is taken by the schema, and the browser test presses it.
        if (json)
          expect([method, path, ajv.validate(json.schema as Json, json.example)]).toEqual([method, path, true]);
      }
    }
    // 3.1: its schemas are JSON Schema, of which const, examples and null are; and a choice is a menu in Swagger UI.
    expect(String(body.openapi)).toStartWith("3.1.");
    const { parameters } = paths["/play-audio"]?.post ?? {};
    const when = (parameters as Json[]).find(({ name }) => name === "when");
    expect(when?.schema).toMatchObject({ type: "string", enum: ["now", "off_hook"] });
    expect(JSON.stringify(body)).not.toContain('"anyOf":[{"const"');
    const OF_LINE = "/lines/{line}/";
    const verbs = Object.keys(paths).filter((path) => path.startsWith(OF_LINE));
    expect(verbs.length).toBeGreaterThan(10);
    // Each stands flat as well, for the default line.
    for (const verb of verbs) expect(Object.keys(paths)).toContain(`/${verb.slice(OF_LINE.length)}`);
  });
});

describe("the event log by REST", () => {
  test("pages from an id, filters, and says where to go on", async () => {
    const { line, phone } = freshLine();
    await phone.lift();
    await phone.press("12");
    const all = await eventually(
      () => get(`${phones.server.rest}/events?line=${line}&types=off_hook,dtmf&limit=1000`),
      ({ body }) => (body.events as Json[]).length === 3,
    );
    const events = all.body.events as { type: string; id: string; digit?: string }[];
    expect(events.map(({ type, digit }) => digit ?? type)).toEqual(["off_hook", "1", "2"]);
    const after = await get(`${phones.server.rest}/events?line=${line}&types=dtmf&since=${events[1]?.id}`);
    expect((after.body.events as Json[]).map(({ digit }) => digit)).toEqual(["2"]);
    expect((await get(`${phones.server.rest}/events?since=${after.body.next}`)).body.resync_required).toBe(false);
    expect((await get(`${phones.server.rest}/events?since=5`)).body.resync_required).toBe(true);
    refused(await get(`${phones.server.rest}/events?types=nonsense`), 422, "invalid_input");
    refused(await get(`${phones.server.rest}/events?since=x`), 422, "invalid_input");
    refused(await get(`${phones.server.rest}/events?limit=0`), 422, "invalid_input");
    const newest = await get(`${phones.server.rest}/events?last=2&line=${line}&types=off_hook,dtmf`);
    expect((newest.body.events as Json[]).map(({ digit }) => digit)).toEqual(["1", "2"]);
    expect(newest.body.resync_required).toBe(false);
    const since = `${phones.server.rest}/events?line=${line}&types=off_hook,dtmf&since=${newest.body.next}`;
    expect((await get(since)).body).toMatchObject({ events: [], resync_required: false });
    for (const wrong of ["last=0", "last=1001", "last=x", "last=2&since=0", "last=2&limit=5"]) {
      const answer = await get(`${phones.server.rest}/events?${wrong}`);
      refused(answer, 422, "invalid_input");
      expect((answer.body.errors as Json[]).map(({ field }) => field)).toEqual(["last"]);
    }
    await phone.hangUp();
  });
});
