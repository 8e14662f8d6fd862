/** Sounds that are named, spoken, kept: on a running server, as a client sees it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wavHeader } from "../../src/audio/wav_header";
import { EventListener, get, type Json, post, request } from "../support/client";
import { needs } from "../support/needs";
import { eventually, type RunningServer, startServer } from "../support/server";

const espeak = needs(Bun.which("espeak-ng") !== null, "apt-get install espeak-ng");

const folder = mkdtempSync(join(tmpdir(), "dahdi-sounds-"));
const SAMPLES = Int16Array.from({ length: 8000 }, (_, i) =>
  Math.round(8000 * Math.sin((i * 2 * Math.PI * 440) / 8000)),
);
const WAV = new Uint8Array(
  Buffer.concat([wavHeader(1, 8000, 2 * SAMPLES.length), new Uint8Array(SAMPLES.buffer)]),
);

/** Spoken by nobody: says nothing until it is ended, and leaves its number. */
const STUCK = `#!/bin/sh\ncase "$*" in *--voices*) echo ' 5 en - English en';; *) echo $$ >>${folder}/pids; exec sleep 600;; esac\n`;

let server: RunningServer;
let careful: RunningServer;
let impatient: RunningServer;
let events: EventListener;

beforeAll(async () => {
  const stuck = join(folder, "stuck-espeak");
  writeFileSync(stuck, STUCK);
  chmodSync(stuck, 0o755);
  writeFileSync(join(folder, "open.yml"), "sounds: { allow_private_addresses: true }\n");
  // A server of its own: on a busy machine any source may stand still for so long.
  writeFileSync(join(folder, "impatient.yml"), "sounds: { allow_private_addresses: true, timeout_seconds: 1 }\n");
  writeFileSync(
    join(folder, "careful.yml"),
    `speech: { espeak_ng: ${stuck} }\nprompts: { max_duration_seconds: 2 }\n`,
  );
  mkdirSync(join(folder, "state"));
  server = await startServer({
    arguments: ["--simulate=6", `--config=${folder}/open.yml`],
    stateDir: join(folder, "state"),
  });
  careful = await startServer({ arguments: ["--simulate=2", `--config=${folder}/careful.yml`] });
  impatient = await startServer({ arguments: ["--simulate=2", `--config=${folder}/impatient.yml`] });
  events = await EventListener.open(server.websocket);
});
afterAll(async () => {
  events[Symbol.dispose]();
  await server.stop();
  await careful.stop();
  await impatient.stop();
  rmSync(folder, { recursive: true });
});

const lift = (line: number, of = server): Promise<unknown> => post(`${of.rest}/simulator/lines/${line}/lift`);
const play = (line: number, body: Json, of = server) => post(`${of.rest}/lines/${line}/play-audio`, body);
const keep = (name: string, body: Uint8Array<ArrayBuffer>, method = "PUT", of = server) =>
  request(`${of.rest}/prompts/${name}`, { method, body });

async function raw(serve: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", () => serve(socket));
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(listener.address() as { port: number }).port}/`,
    sockets,
    [Symbol.dispose]: () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe("a sound is named", () => {
  test("by its URL, heard while it comes", async () => {
    await lift(1);
    using web = await raw((socket) => socket.end(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), WAV])));
    const { status, body } = await play(1, { url: web.url, wait: true });
    expect([status, body.reason, body.heard_ms]).toEqual([200, "completed", 1000]);
  });

  test("by its URL, which stops midway: the playback ends with error, and the next is heard", async () => {
    await lift(1, impatient);
    using told = await EventListener.open(impatient.websocket);
    using web = await raw((socket) => {
      socket.write(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), WAV.subarray(0, 8044)]));
    });
    const { body } = await play(1, { url: web.url }, impatient);
    const next = await play(1, { tone: "confirmation" }, impatient);
    expect(next.status).toBe(200);
    const end = await told.event("playback_finished", { playback_id: body.playback_id });
    expect(end.reason).toBe("error");
    expect(end.heard_ms).toBeWithin(400, 501);
    await told.event("playback_started", { playback_id: next.body.playback_id });
    await eventually(
      () => web.sockets.size,
      (left) => left === 0,
    );
  });

  test("by its URL, and nobody is there: problems that say why", async () => {
    await lift(3);
    await lift(2, impatient);
    using silent = await raw(() => undefined);
    expect((await play(2, { url: silent.url }, impatient)).body).toMatchObject({
      status: 504,
      code: "source_timeout",
    });
    expect((await play(3, { url: "http://127.0.0.1:1/" })).body).toMatchObject({
      status: 422,
      code: "url_unreadable",
    });
    await lift(1, careful);
    expect((await play(1, { url: silent.url }, careful)).body).toMatchObject({ status: 422, code: "url_refused" });
  });

  test("by a URL whose sender is hung up on: it is not read on", async () => {
    await lift(4);
    using web = await raw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const piece = Buffer.concat([wavHeader(1, 8000, 0), Buffer.alloc(64_000)]);
      const send = (): void => {
        while (socket.writable && socket.write(piece));
        socket.once("drain", send);
      };
      send();
    });
    const { body } = await play(4, { url: web.url });
    await events.event("playback_started", { playback_id: body.playback_id });
    expect(await server.residentMb()).toBeLessThan(400);
    await post(`${server.rest}/simulator/lines/4/hang-up`);
    await eventually(
      () => web.sockets.size,
      (left) => left === 0,
    );
  });

  test("by exactly one name, with options beside it", async () => {
    await lift(5);
    for (const body of [
      {},
      { tone: "dial", prompt: "x" },
      { tone: "nope" },
      { url: 5 },
      { tone: "dial", voice: "en" },
      { tone: "dial", x: 1 },
    ]) {
      expect((await play(5, body)).body).toMatchObject({ status: 422, code: "invalid_input" });
    }
    expect((await play(6, { tone: "dial" })).body).toMatchObject({ status: 409, code: "line_on_hook" });
    expect((await play(6, { tone: "dial", when: "off_hook" })).status).toBe(200);
    const malformed = await request(`${server.rest}/play-audio`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(malformed.status).toBe(400);
  });
});

describe("a prompt", () => {
  test("is kept, played, fetched in part, replaced, deleted", async () => {
    const kept = await keep("hello", WAV);
    expect(kept.body).toMatchObject({ name: "hello", duration_ms: 1000, bytes: WAV.length });
    expect((await get(`${server.rest}/prompts`)).body.prompts).toContainEqual(kept.body);
    expect((await get(`${server.rest}/prompts/hello/metadata`)).body).toEqual(kept.body);
    const file = await fetch(`${server.rest}/prompts/hello`, { headers: { range: "bytes=44-47" } });
    expect([file.status, file.headers.get("content-range")]).toEqual([206, `bytes 44-47/${WAV.length}`]);
    const etag = file.headers.get("etag") ?? "";
    expect((await fetch(`${server.rest}/prompts/hello`, { headers: { "if-none-match": etag } })).status).toBe(304);
    await lift(1);
    const { body } = await play(1, { prompt: "hello", wait: true });
    expect([body.duration_ms, body.reason, body.heard_ms]).toEqual([1000, "completed", 1000]);
    expect((await keep("hello", WAV.slice(44, 44 + 1600), "POST")).body).toMatchObject({ duration_ms: 100 });
    expect((await fetch(`${server.rest}/prompts/hello`)).headers.get("etag")).not.toBe(etag);
    expect((await request(`${server.rest}/prompts/hello`, { method: "DELETE" })).status).toBe(204);
    expect((await play(1, { prompt: "hello" })).body).toMatchObject({ status: 404, code: "unknown_prompt" });
  });

  test("that is deleted while it is fetched is there, or is not", async () => {
    for (let round = 0; round < 20; round++) {
      await keep("fleeting", WAV);
      const fetched = Array.from({ length: 12 }, async () => {
        const answer = await fetch(`${server.rest}/prompts/fleeting`);
        const type = String(answer.headers.get("content-type"));
        await answer.arrayBuffer();
        return [answer.status, type];
      });
      await request(`${server.rest}/prompts/fleeting`, { method: "DELETE" });
      for (const each of await Promise.all(fetched))
        expect([
          [200, "audio/wav"],
          [404, "application/problem+json"],
        ]).toContainEqual(each);
    }
  });

  test("that is none is refused, and nothing is left of it", async () => {
    const before = readdirSync(join(folder, "state/prompts"));
    expect((await keep("HELLO", WAV)).body).toMatchObject({ status: 422, code: "bad_name" });
    expect((await keep("..%2f..%2fx", WAV)).body).toMatchObject({ status: 422, code: "bad_name" });
    expect((await keep("cut", WAV.subarray(0, 5000))).body).toMatchObject({ status: 422, code: "truncated" });
    expect((await keep("none", new Uint8Array(0))).body).toMatchObject({ status: 422, code: "empty" });
    expect((await keep("long", new Uint8Array(40_000), "PUT", careful)).body).toMatchObject({
      status: 422,
      code: "too_long",
    });
    expect(readdirSync(join(folder, "state/prompts"))).toEqual(before);
  });
});

describe("speech", () => {
  espeak("is heard, made into a file, kept as a prompt", async () => {
    await lift(1);
    const said = await post(`${server.rest}/lines/1/say`, { text: "Your tea is ready.", wait: true });
    expect([said.status, said.body.reason]).toEqual([200, "completed"]);
    expect(said.body.heard_ms).toBeWithin(700, 3000);
    const query = await fetch(`${server.rest}/generate-tts?text=Your%20tea%20is%20ready.&rate=1`, {
      method: "POST",
    });
    expect([query.status, query.headers.get("content-type")]).toEqual([200, "audio/wav"]);
    const wav = await query.bytes();
    expect(new DataView(wav.buffer).getUint32(40, true)).toBe(wav.length - 44);
    expect(Math.abs((wav.length - 44) / 16 - (said.body.heard_ms as number))).toBeLessThan(2);
    const asJson = await fetch(`${server.rest}/generate-tts`, {
      method: "POST",
      body: JSON.stringify({ text: "Your tea is ready." }),
    });
    expect(await asJson.bytes()).toEqual(wav);
    const kept = await request(`${server.rest}/prompts/tea`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ say: "Your tea is ready." }),
    });
    expect(kept.body).toMatchObject({ name: "tea", bytes: wav.length });
    const { engines } = (await get(`${server.rest}/speech/voices`)).body as {
      engines: { engine: string; voices: Json[] }[];
    };
    expect(engines[0]?.engine).toBe("espeak-ng");
    expect(engines[0]?.voices).toContainEqual({ voice: "de", language: "de", name: "German" });
  });

  espeak("says what is said, and does nothing else", async () => {
    for (const text of [
      `$(touch ${folder}/pwned)`,
      "--help",
      "-f /etc/passwd",
      "one\ntwo",
      "<speak><break/>hi</speak>",
    ]) {
      const spoken = await fetch(`${server.rest}/generate-tts`, {
        method: "POST",
        body: JSON.stringify({ text }),
      });
      expect([text, spoken.status, (await spoken.bytes()).length > 3000]).toEqual([text, 200, true]);
    }
    expect(existsSync(join(folder, "pwned"))).toBe(false);
    for (const text of ["a\0b", " \n "]) {
      expect((await post(`${server.rest}/lines/1/say`, { text })).body).toMatchObject({
        status: 422,
        code: "unsayable_text",
      });
    }
    for (const wrong of [
      {},
      { text: "" },
      { text: "x".repeat(3001) },
      { text: "x", rate: 9 },
      { text: "x", engine: "festival" },
    ]) {
      expect((await post(`${server.rest}/lines/1/say`, wrong)).body).toMatchObject({
        status: 422,
        code: "invalid_input",
      });
    }
    expect((await post(`${server.rest}/lines/1/say`, { text: "x", voice: "-h" })).body).toMatchObject({
      code: "unknown_voice",
    });
  });

  test("is made for two at once, and its program ended when the client goes", async () => {
    const gone = new AbortController();
    const ask = (signal?: AbortSignal) =>
      fetch(`${careful.rest}/generate-tts`, {
        method: "POST",
        body: '{"text":"x"}',
        ...(signal ? { signal } : {}),
      });
    const two = [ask(gone.signal), ask(gone.signal)].map((answer) => answer.catch(() => null));
    const pids = async (): Promise<string[]> => {
      const file = Bun.file(join(folder, "pids"));
      return (await file.exists()) ? (await file.text()).trim().split("\n").filter(Boolean) : [];
    };
    await eventually(pids, (started) => started.length === 2);
    const third = await ask();
    expect([third.status, third.headers.get("retry-after")]).toEqual([429, "1"]);
    gone.abort();
    await Promise.all(two);
    for (const pid of await pids())
      await eventually(
        () => existsSync(`/proc/${pid}`),
        (there) => !there,
      );
  });

  test("without a program is 501, with what to install", async () => {
    await using bare = await startServer({ arguments: ["--simulate=1"], environment: { PATH: folder } });
    await lift(1, bare);
    const { body } = await post(`${bare.rest}/say`, { text: "hello" });
    expect(body).toMatchObject({ status: 501, code: "no_speech_engine" });
    expect(body.detail).toContain("sudo apt-get install espeak-ng");
    expect((await get(`${bare.rest}/speech/voices`)).body).toEqual({ engines: [] });
  });
});
