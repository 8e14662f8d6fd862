/** Forms as the clients of this world send them, and as none should. What a stream proves, playback.test.ts proves in a form. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeWav } from "../../src/audio/wav";
import { EventListener, type Json, request } from "../support/client";
import { type ConfiguredServer, rawRequest, startConfigured } from "../support/configured";
import { FORM_TYPE, fileHead, formOf, formTail } from "../support/forms";
import { needs } from "../support/needs";
import { eventually } from "../support/server";
import { refused } from "../support/shared_telephones";
import { sine } from "../support/stepped";

const PYTHON = "/usr/bin/python3";
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const wav = encodeWav(sine(440, 200));
let server: ConfiguredServer;
let path: string;

beforeAll(async () => {
  server = await startConfigured(`api: { max_body_bytes: ${GIB} }\n`, 5);
  path = join(server.folder, "hello.wav");
  writeFileSync(path, wav);
  for (const line of [1, 3, 4]) await request(`${server.rest}/simulator/lines/${line}/lift`, { method: "POST" });
});
afterAll(async () => {
  rmSync(path, { force: true });
  await server[Symbol.asyncDispose]();
});

const play = (line: number, body: RequestInit["body"], type: string | null = FORM_TYPE, query = "") =>
  request(`${server.rest}/lines/${line}/play-audio${query}`, {
    method: "POST",
    ...(body === undefined ? {} : { body }),
    headers: type === null ? {} : { "content-type": type },
  });

async function said(command: string[]): Promise<Json> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return JSON.parse(text) as Json;
}

describe("a form", () => {
  const heard = { status: "success", reason: "completed", duration_ms: 200, heard_ms: 200 };
  const completed = { status: "success", outcome: "completed", played: "whole", heard_ms: 200 };
  const OPTIONS = '{"pause_ms":100}';

  needs(Bun.which("curl") !== null, "sudo apt-get install curl")("of curl", async () => {
    const url = `${server.rest}/lines/1`;
    expect(await said(["curl", "-s", "-F", `file=@${path}`, `${url}/play-audio?wait=true`])).toMatchObject(heard);
    const announce = ["curl", "-s", "-F", `options=${OPTIONS}`, "-F", `audio=@${path}`, `${url}/announce`];
    expect(await said(announce)).toMatchObject(completed);
  });

  const httpx = Bun.spawnSync([PYTHON, "-c", "import httpx"]).exitCode === 0;
  needs(httpx, "sudo apt-get install python3-httpx")("of Python's httpx", async () => {
    const script = [
      "import sys, httpx",
      "url, path, options = sys.argv[1:]",
      "played = httpx.post(url + '/play-audio?wait=true', files={'file': open(path, 'rb')})",
      "told = httpx.post(url + '/announce', files={'audio': open(path, 'rb')}, data={'options': options})",
      "print('[' + played.text + ',' + told.text + ']')",
    ];
    const [played, told] = (await said([
      PYTHON,
      "-c",
      script.join("\n"),
      `${server.rest}/lines/1`,
      path,
      OPTIONS,
    ])) as unknown as Json[];
    expect(played).toMatchObject(heard);
    expect(told).toMatchObject(completed);
  });

  test("of fetch, to the telephone and to the prompts", async () => {
    const form = new FormData();
    form.set("file", new Blob([wav]), "hello.wav");
    expect((await play(1, form, null, "?wait=true")).body).toMatchObject(heard);
    const kept = await request(`${server.rest}/prompts/form`, { method: "PUT", body: form });
    expect(kept.body).toMatchObject({ name: "form", duration_ms: 200 });
  });

  test("that is none is refused, and nothing was played", async () => {
    const field = formOf([{ name: "a", content: wav }]);
    refused(await play(1, field), 422, "no_file");
    refused(await play(1, new Uint8Array(0)), 422, "no_file");
    refused(await play(1, formTail as Uint8Array<ArrayBuffer>), 422, "no_file");
    refused(await play(1, wav), 422, "no_file");
    const whole = formOf([{ name: "a", filename: "a", content: wav }]);
    refused(await play(1, whole, "multipart/form-data"), 422, "no_file");
    refused(await play(1, formOf([{ name: "a", filename: "a", content: new Uint8Array(0) }])), 422, "empty");
    const text = new TextEncoder().encode("<html>It is a page, and no sound at all.</html>");
    refused(await play(1, formOf([{ name: "a", filename: "a", content: text }])), 415, "unsupported_format");
    // Its end is missing: all of the sound came, as far as is known.
    refused(await play(1, whole.subarray(0, -12)), 422, "upload_lost");
  });

  test("whose sender goes ends the sound, and frees the queue behind it", async () => {
    using events = await EventListener.open(`${server.websocket}?line=1&types=playback_started,playback_finished`);
    const { hostname, port } = new URL(server.rest);
    const socket = await Bun.connect({ hostname, port: Number(port), socket: { data: () => undefined } });
    socket.write(
      `POST /lines/1/play-audio HTTP/1.1\r\nHost: phone\r\nContent-Length: ${MIB}\r\nContent-Type: ${FORM_TYPE}\r\n\r\n`,
    );
    socket.write(fileHead("sound"));
    socket.write(new Uint8Array(sine(440, 500).buffer));
    const { playback_id } = await events.event("playback_started");
    const next = play(1, wav, null, "?wait=true");
    socket.terminate();
    // What came just before is lost with the connection, or was taken.
    expect(await events.event("playback_finished", { playback_id: String(playback_id) })).toMatchObject({
      reason: "error",
    });
    expect((await next).body).toMatchObject(heard);
  });

  test("of more bytes than a body may have is refused before it is sent, and a keyed one of more than 4 MiB", async () => {
    const head = (length: number, more = ""): string =>
      `POST /lines/1/play-audio HTTP/1.1\r\nHost: phone\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${length}\r\n${more}\r\n`;
    expect(await rawRequest(server.rest, head(GIB + 1))).toMatchObject({ status: 413 });
    const keyed = await request(`${server.rest}/lines/1/play-audio`, {
      method: "POST",
      body: formOf([{ name: "a", filename: "a", content: encodeWav(new Int16Array(3 * MIB)) }]),
      headers: { "content-type": FORM_TYPE, "idempotency-key": "long" },
    });
    refused(keyed, 413, "body_too_large");
  });
});

describe("500 MB in a form", () => {
  const megabyte = new Uint8Array(new Int16Array(MIB / 2).fill(1000).buffer);

  /** Sent as fast as it is taken; counts. */
  function sender(beginning: Uint8Array): { body: ReadableStream<Uint8Array>; sentMb(): number } {
    let sentMb = 0;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(beginning),
      pull(controller) {
        if (sentMb++ < 500) return controller.enqueue(megabyte);
        controller.enqueue(formTail);
        controller.close();
      },
    });
    return { body, sentMb: () => sentMb };
  }
  /** The most that it held until then, beyond what it held before. */
  async function grownMb(before: number, until: Promise<unknown>): Promise<number> {
    let over = false;
    void until.finally(() => {
      over = true;
    });
    let highest = before;
    while (!over) {
      highest = Math.max(highest, await server.residentMb());
      await Bun.sleep(20);
    }
    return highest - before;
  }

  test("that are sound wait with their sender, and end with the call", async () => {
    using events = await EventListener.open(`${server.websocket}?line=3`);
    const before = await server.residentMb();
    const { body, sentMb } = sender(fileHead("sound"));
    const answered = play(3, body);
    const { playback_id } = await events.event("playback_started");
    const heard = eventually(
      async () => (await request(`${server.rest}/playbacks/${playback_id}`)).body,
      ({ position_ms }) => Number(position_ms) > 2000,
    );
    expect(await grownMb(before, heard)).toBeLessThan(60);
    expect(sentMb()).toBeLessThan(40);
    await request(`${server.rest}/simulator/lines/3/hang-up`, { method: "POST" });
    expect(await events.event("playback_finished")).toMatchObject({ reason: "hung_up" });
    expect((await answered).status).toBe(200);
  });

  test("that nobody wants pass by, while the file before them is heard", async () => {
    using events = await EventListener.open(`${server.websocket}?line=4`);
    const before = await server.residentMb();
    const first = formOf([{ name: "sound", filename: "a", content: wav }]).subarray(0, -formTail.length);
    const { body, sentMb } = sender(Buffer.concat([first, new TextEncoder().encode("\r\n"), fileHead("second")]));
    const answered = play(4, body);
    // Garbage, which is collected when there is some.
    expect(await grownMb(before, answered)).toBeLessThan(150);
    expect(await answered).toMatchObject({ status: 200, body: { status: "success", duration_ms: 200 } });
    expect(sentMb()).toBeGreaterThan(500);
    expect(await events.event("playback_finished")).toMatchObject({ reason: "completed", heard_ms: 200 });
  });
});
