import { describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { NOT_YET, type PcmSource } from "../../../src/audio/source";
import { wavHeader } from "../../../src/audio/wav_header";
import { httpExchange } from "../../../src/network/http_exchange";
import { samplesOf } from "../../../src/sounds/samples";
import { SoundError } from "../../../src/sounds/sound_error";
import { type UrlSoundOptions, UrlSounds } from "../../../src/sounds/url_sounds";
import { eventually } from "../../support/server";

const never = new AbortController().signal;
const urls = (more: Partial<UrlSoundOptions> = {}): UrlSounds =>
  new UrlSounds({
    maxBytes: 1_000_000,
    timeoutMs: 60_000,
    allowPrivate: true,
    userAgent: "test",
    exchange: httpExchange,
    ...more,
  });
const open = (url: string, more: Partial<UrlSoundOptions> = {}, signal = never): Promise<PcmSource> =>
  urls(more).open(url, { signal, loudnessDbm0: null });

async function heard(source: PcmSource): Promise<number[]> {
  const samples: number[] = [];
  for await (const piece of samplesOf(source, never, new Int16Array(1000))) samples.push(...piece);
  return samples;
}
/** As a playback meets it: all that comes, then how it ended. */
async function end(source: PcmSource): Promise<string> {
  return await heard(source).then(
    (samples) => `${samples.length} samples`,
    (error: SoundError) => error.code,
  );
}
/** The same of one that may fail in its opening already. */
const ending = (opening: Promise<PcmSource>): Promise<string> =>
  opening.then(end, (error: SoundError) => error.code);
async function refusal(opening: Promise<PcmSource>): Promise<string> {
  return await opening.then(
    () => "opened",
    (error: unknown) => {
      if (!(error instanceof SoundError)) throw error;
      return `${error.code}: ${error.message}`;
    },
  );
}

const SAMPLES = Int16Array.from({ length: 8000 }, (_, i) => Math.round(8000 * Math.sin(i / 5)));
const WAV = Buffer.concat([wavHeader(1, 8000, 2 * SAMPLES.length), new Uint8Array(SAMPLES.buffer)]);

async function raw(serve: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", () => serve(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`,
    sockets,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function web(routes: Record<string, () => Response>) {
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      return routes[pathname]?.() ?? new Response("no", { status: 404 });
    },
  });
  return {
    at: (path: string) => `http://127.0.0.1:${server.port}${path}`,
    asked,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

describe("a sound by its URL", () => {
  test("is heard to its end, its length known beforehand", async () => {
    using server = web({ "/a.wav": () => new Response(WAV) });
    const source = await open(server.at("/a.wav"));
    expect(source.samples).toBe(8000);
    const samples = await heard(source);
    expect(samples.length).toBe(8000);
    expect(Math.max(...samples.map((value, i) => Math.abs(value - (SAMPLES[i] as number))))).toBeLessThanOrEqual(
      1,
    );
  });

  test("begins before the rest has come", async () => {
    using server = await raw((socket) => {
      socket.write(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), WAV.subarray(0, 44 + 6400)]));
    });
    const source = await open(server.url);
    const into = new Int16Array(1600);
    const count = await eventually(
      () => source.read(into),
      (given) => given !== NOT_YET,
    );
    expect(count).toBe(1600);
    source.close?.();
    await eventually(
      () => server.sockets.size,
      (left) => left === 0,
    );
  });

  test("follows redirects, each relative to the one before, five of them", async () => {
    const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
    using server = web({ "/a/1": to("2"), "/a/2": to("/b"), "/b": () => new Response(WAV), "/loop": to("/loop") });
    expect(await end(await open(server.at("/a/1")))).toBe("8000 samples");
    expect(server.asked).toEqual(["/a/1", "/a/2", "/b"]);
    expect(await refusal(open(server.at("/loop")))).toStartWith("url_unreadable: ");
    expect(server.asked.filter((path) => path === "/loop").length).toBe(6);
  });

  test("is looked at again at every hop: a public server cannot lead inside", async () => {
    using inside = web({ "/a.wav": () => new Response(WAV) });
    for (const target of [
      inside.at("/a.wav"),
      inside.at("/a.wav").replace("127.0.0.1", "localhost"),
      "file:///etc/passwd",
      "gopher://x/",
    ]) {
      const exchange: UrlSoundOptions["exchange"] = async (request) =>
        request.url.hostname === "public.test"
          ? {
              status: 301,
              headers: new Map([["location", target]]),
              lengthBytes: 0,
              body: (async function* () {})(),
              close: () => undefined,
            }
          : await httpExchange(request);
      expect(await refusal(open("https://public.test/", { allowPrivate: false, exchange }))).toStartWith(
        "url_refused: ",
      );
    }
    expect(inside.asked).toEqual([]);
  });

  test("that leads inside, or is none, is refused before anything is asked", async () => {
    using inside = web({});
    const port = new URL(inside.at("/")).port;
    const refusedUrls = ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "[::ffff:127.0.0.1]", "0"].map(
      (host) => `http://${host}:${port}/`,
    );
    for (const url of [
      ...refusedUrls,
      "ftp://example.com/",
      "data:audio/wav;base64,AAAA",
      "/etc/passwd",
      "",
      "https://user:word@example.com/",
    ]) {
      expect(`${url} ${await refusal(open(url, { allowPrivate: false }))}`).toStartWith(
        `${url} url_refused: This URL is not fetched: `,
      );
    }
    expect(inside.asked).toEqual([]);
  });

  test("that gives no sound says why", async () => {
    const typed =
      (type: string, body: string | Uint8Array<ArrayBuffer> = "x".repeat(100)) =>
      () =>
        new Response(body, { headers: { "content-type": type } });
    using server = web({
      "/html": typed("text/html; charset=utf-8"),
      "/json": typed("application/json"),
      "/gzip": () => new Response(WAV, { headers: { "content-encoding": "br" } }),
      "/broken": typed("audio/wav", "RIFF1234WAVEnonsense"),
      "/empty": typed("audio/wav", ""),
      "/large": typed("audio/wav", new Uint8Array(1_000_001)),
    });
    const seen = async (path: string) => await refusal(open(server.at(path)));
    expect(await seen("/nothing")).toBe("url_unreadable: Nothing to play came: its server answered 404.");
    expect(await seen("/html")).toBe("url_unreadable: Nothing to play came: it is text/html.");
    expect(await seen("/json")).toContain("it is application/json");
    expect(await seen("/gzip")).toContain("it is sent as br");
    expect(await seen("/broken")).toStartWith("url_unreadable: Nothing to play came: This WAV file");
    expect(await seen("/empty")).toContain("There is no sound in the body");
    expect(await seen("/large")).toContain("larger than 1000000 bytes (sounds.max_bytes)");
    expect(await refusal(open("http://127.0.0.1:1/"))).toBe(
      "url_unreadable: Nothing to play came: 127.0.0.1:1 cannot be reached (ECONNREFUSED).",
    );
    using noHttp = await raw((socket) => socket.end("SSH-2.0-x\r\n\r\n"));
    expect(await refusal(open(noHttp.url))).toContain("its answer is not HTTP");
  });

  test("that grows beyond what may be ends there", async () => {
    using server = await raw((socket) =>
      socket.write(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), WAV])),
    );
    expect(await ending(open(server.url, { maxBytes: 10_000 }))).toBe("url_unreadable");
  });

  test("whose server says nothing is given up; one that stops midway ends what is heard", async () => {
    using silent = await raw(() => undefined);
    expect(await refusal(open(silent.url, { timeoutMs: 50 }))).toStartWith("source_timeout: ");
    await eventually(
      () => silent.sockets.size,
      (left) => left === 0,
    );
    using midway = await raw((socket) =>
      socket.write(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), WAV.subarray(0, 8000)])),
    );
    expect(await ending(open(midway.url, { timeoutMs: 50 }))).toBe("source_timeout");
    await eventually(
      () => midway.sockets.size,
      (left) => left === 0,
    );
    for (const bytes of [8000, 8]) {
      using cut = await raw((socket) =>
        socket.end(
          Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 16044\r\n\r\n"), WAV.subarray(0, bytes)]),
        ),
      );
      expect(await ending(open(cut.url))).toBe("url_unreadable");
    }
  });

  test("that drips is given up: nobody keeps a line silent", async () => {
    using server = await raw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const timer = setInterval(() => socket.write(Buffer.alloc(1)), 20);
      socket.on("close", () => clearInterval(timer));
    });
    expect(await ending(open(server.url, { timeoutMs: 200 }))).toBe("source_timeout");
  });

  test("nobody waits for is given up at once", async () => {
    using silent = await raw(() => undefined);
    const gone = new AbortController();
    const opening = refusal(open(silent.url, {}, gone.signal));
    await eventually(
      () => silent.sockets.size,
      (there) => there === 1,
    );
    gone.abort();
    expect(await opening).toStartWith("cancelled: ");
    await eventually(
      () => silent.sockets.size,
      (left) => left === 0,
    );
  });
});
