/** POST /stream: bots in Python, over Debian's websockets and sockets, that a telephone is connected to. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SAMPLE_FORMATS } from "../../src/audio/sample_format";
import { EventListener, get, type Json, post, simulatedTelephone, type Telephone } from "../support/client";
import { bestLag } from "../support/correlation";
import { goertzelDbm0, rmsDbm0 } from "../support/level";
import { BotProcess, RemoteBot } from "../support/remote_bot";
import { eventually, type RunningServer, startServer } from "../support/server";
import { find, noise } from "../support/stepped";

const { mulaw } = SAMPLE_FORMATS;
const AUTH_TOKEN = "0123456789abcdef0123456789abcdef";
/** No telephone hears a difference of so much. */
const FADE_SAMPLES = 40;

const folder = mkdtempSync(join(tmpdir(), "dahdi-streams-"));
let server: RunningServer;
let events: EventListener;
beforeAll(async () => {
  const path = join(folder, "config.yml");
  writeFileSync(
    path,
    "simulator: { echo_return_loss_db: 0, noise_dbm0: -120, companding: none }\n" +
      `stream: { twilio_auth_token: "${AUTH_TOKEN}" }\n`,
  );
  server = await startServer({ arguments: ["--simulate=8", "--config", path] });
  events = await EventListener.open(server.websocket);
});
afterAll(async () => {
  events[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Noise that µ-law does not change: it can be found again sample for sample. */
const speech = (samples: number, seed: number): Int16Array<ArrayBuffer> =>
  mulaw.decode(mulaw.encode(noise(samples, seed))) as Int16Array<ArrayBuffer>;
const media = (samples: Int16Array) => ({ event: "media", media: { payload: mulaw.encode(samples).toBase64() } });

interface Connected {
  phone: Telephone;
  rest: string;
  streamId: string;
}
async function connect(line: number, url: string, body: Json = {}): Promise<Connected> {
  const phone = simulatedTelephone(server, line);
  const rest = `${server.rest}/lines/${line}`;
  await phone.lift();
  const { status, body: answer } = await post(`${rest}/stream`, { url, ...body });
  expect([status, answer.state]).toEqual([200, "waiting"]);
  const streamId = answer.stream_id as string;
  await events.event("stream_started", { stream_id: streamId });
  return { phone, rest, streamId };
}
const stopped = (streamId: string): Promise<Json> => events.event("stream_stopped", { stream_id: streamId });

/**
 * Waits until a part of it is heard, found by cross-correlation, whatever its delay: of a bot that answers every
 * 20 ms with 20 ms, a busy machine may lose some in the jitter buffer.
 */
async function echo(phone: Telephone, said: Int16Array): Promise<void> {
  const part = said.subarray(4000, 4800);
  await eventually(
    async () => bestLag(await phone.ear(12), part).likeness,
    (alike) => alike > 0.95,
  );
}

/** Live voices stumble where the machine stands still: then it is said again. */
const saidUntil = (heard: () => Promise<boolean>): Promise<boolean> => eventually(heard, (whole) => whole);
/** No voice of these tests takes longer, where nothing stands still. */
const SAID_LIMIT_MS = 8000;
const isHeard = (phone: Telephone, wanted: Int16Array): Promise<boolean> =>
  eventually(
    async () => find(await phone.ear(30), wanted) >= 0,
    (whole) => whole,
    SAID_LIMIT_MS,
  ).catch(() => false);

/** Of any 100 ms, the level of this frequency. */
const loudest = (samples: Int16Array, frequencyHz: number): number =>
  Math.max(
    ...Array.from({ length: Math.floor(samples.length / 800) }, (_, i) =>
      goertzelDbm0(samples.subarray(i * 800, (i + 1) * 800), frequencyHz),
    ),
  );

describe("Twilio Media Streams", () => {
  test("a bot hears the caller without a gap, is heard, told keys, and told of hanging up", async () => {
    await using bot = await RemoteBot.start("twilio");
    const url = `${bot.url}/call?id=7`;
    const { phone, rest, streamId } = await connect(1, url, { custom_parameters: { name: "Zoë" } });
    const { headers } = await bot.tells("connected");
    const signature = createHmac("sha1", AUTH_TOKEN).update(url).digest("base64");
    expect((headers as Json)["x-twilio-signature"]).toBe(signature);
    const streamSid = `MZ${streamId.replaceAll("-", "")}`;
    expect(await bot.hears("start")).toMatchObject({
      sequenceNumber: "1",
      streamSid,
      start: { streamSid, tracks: ["inbound"], customParameters: { name: "Zoë" } },
    });
    expect((await get(`${rest}/status`)).body.state).toBe("IN_CALL");

    // What it says is heard, sample for sample; the mark comes after it.
    const greeting = speech(8000, 1);
    let greetings = 0;
    await saidUntil(async () => {
      const name = `greeted ${++greetings}`;
      bot.says(media(greeting));
      bot.says({ event: "mark", streamSid, mark: { name } });
      await bot.hears("mark", ({ mark }) => (mark as Json).name === name);
      return find(await phone.ear(30), greeting.subarray(FADE_SAMPLES)) >= 0;
    });

    const said = speech(16_000, 2);
    await phone.speak(said);
    await phone.press("5#");
    await bot.hears("dtmf", ({ dtmf }) => (dtmf as Json).digit === "#");
    await phone.hangUp();
    expect(await stopped(streamId)).toMatchObject({ reason: "hung_up", detail: null });
    await bot.hears("stop");
    await bot.tells("closed");

    const messages = bot.messages();
    expect(messages.slice(1).map(({ sequenceNumber }) => sequenceNumber)).toEqual(
      messages.slice(1).map((_, i) => `${i + 1}`),
    );
    const chunks = messages.flatMap(({ media }) => (media ? [media as Json] : []));
    expect(chunks.map(({ chunk, timestamp }) => [chunk, timestamp])).toEqual(
      chunks.map((_, i) => [`${i + 1}`, `${(i + 1) * 20}`]),
    );
    const payloads = chunks.map(({ payload }) => Buffer.from(payload as string, "base64"));
    expect(new Set(payloads.map(({ length }) => length))).toEqual(new Set([160]));
    expect(find(mulaw.decode(Buffer.concat(payloads)), said)).toBeGreaterThanOrEqual(0);
    expect(messages.at(-1)?.event).toBe("stop");
    expect((await get(`${rest}/stream`)).body).toEqual({ stream: null });
  });

  test("ten seconds in one burst are heard as they were said; clear silences the rest, and gives its marks back", async () => {
    await using bot = await RemoteBot.start("twilio");
    let { phone, rest, streamId } = await connect(2, bot.url);
    const long = speech(80_000, 3);
    await saidUntil(async () => {
      bot.says(media(long));
      bot.says({ event: "mark", mark: { name: "end" } });
      const whole = await isHeard(phone, long.subarray(FADE_SAMPLES, 8000));
      const { stream } = (await get(`${rest}/stream`)).body as { stream: Json };
      expect(stream).toMatchObject({ received_ms: 10_000, dropped_ms: 0, state: "open" });
      if (whole && stream.underruns === 0) return true;
      await phone.hangUp();
      await stopped(streamId);
      ({ phone, rest, streamId } = await connect(2, bot.url));
      return false;
    });
    bot.says({ event: "clear" });
    await bot.hears("mark");
    await eventually(
      async () => rmsDbm0(await phone.ear(0.5)),
      (level) => level < -60,
    );
    expect(find(await phone.ear(30), long.subarray(72_000, 80_000))).toBe(-1);
    const { status, body } = await post(`${rest}/stream/stop`);
    expect([status, body.stream_id]).toEqual([200, streamId]);
    expect(await stopped(streamId)).toMatchObject({ reason: "completed" });
    await bot.hears("stop");
    expect((await post(`${rest}/stream/stop`)).body.code).toBe("no_stream");
  });

  test("a bot that closes ends it", async () => {
    await using bot = await RemoteBot.start("twilio");
    const { rest, streamId } = await connect(3, bot.url);
    bot.write("close");
    expect(await stopped(streamId)).toMatchObject({ reason: "bot_closed" });
    expect((await get(`${rest}/status`)).body.state).toBe("OFF_HOOK");
  });

  test("garbage ends it with what was wrong", async () => {
    await using bot = await RemoteBot.start("twilio");
    const { streamId } = await connect(4, bot.url);
    bot.write("hello");
    expect(await stopped(streamId)).toMatchObject({ reason: "error", detail: "sent what is no JSON" });
  });

  test("a bot that does not read is cut, and told why", async () => {
    // A server of its own: on a busy machine any bot may stand still for so long.
    const path = join(folder, "impatient.yml");
    writeFileSync(path, "stream: { ping_seconds: 3 }\n");
    await using impatient = await startServer({ arguments: ["--simulate=1", "--config", path] });
    using told = await EventListener.open(impatient.websocket);
    await using bot = await RemoteBot.start("twilio", "deaf");
    await simulatedTelephone(impatient, 1).lift();
    await post(`${impatient.rest}/stream`, { url: bot.url });
    expect(await told.event("stream_stopped")).toMatchObject({ reason: "bot_unresponsive" });
  });

  test("the example: a beep, an echo, a key that cuts it short, the star key", async () => {
    await using bot = new BotProcess("examples/twilio_bot.py", "0");
    const [, port] = await bot.prints(/port (\d+)/);
    const { phone, streamId } = await connect(6, `ws://127.0.0.1:${port}`);
    await bot.prints(/"greeted"/);
    expect(loudest(await phone.ear(30), 500)).toBeGreaterThan(-20);
    const said = speech(8000, 6);
    await phone.speak(said);
    await echo(phone, said);
    await phone.press("5");
    await bot.prints(/"key 5"/);
    await phone.press("*");
    expect(await stopped(streamId)).toMatchObject({ reason: "bot_closed" });
  });
});

describe("AudioSocket", () => {
  test("a peer hears, is heard, is told keys and of hanging up", async () => {
    await using bot = await RemoteBot.start("audiosocket");
    const { phone, streamId } = await connect(7, bot.url);
    const greeting = noise(8000, 7);
    // In pieces that end anywhere; a type that nobody knows between them.
    const frame = Buffer.concat([Buffer.from([0x10, 16_000 >> 8, 16_000 & 0xff]), Buffer.from(greeting.buffer)]);
    await saidUntil(() => {
      bot.write(frame.subarray(0, 2).toString("hex"));
      bot.write(frame.subarray(2, 777).toString("hex"));
      bot.write(`${frame.subarray(777).toString("hex")}420001ff`);
      return isHeard(phone, greeting.subarray(FADE_SAMPLES));
    });
    const said = noise(8000, 8) as Int16Array<ArrayBuffer>;
    await phone.speak(said);
    await phone.press("7");
    await events.event("dtmf", { line: 7 });
    await phone.hangUp();
    expect(await stopped(streamId)).toMatchObject({ reason: "hung_up" });
    await bot.tells("closed");
    const bytes = bot.bytes();
    expect(bytes.subarray(0, 19).toString("hex")).toBe(`010010${streamId.replaceAll("-", "")}`);
    const kinds: number[] = [];
    const heard: Buffer[] = [];
    let at = 19;
    for (; at < bytes.length; at += 3 + bytes.readUInt16BE(at + 1)) {
      kinds.push(bytes[at] as number);
      if (bytes[at] === 0x10) heard.push(bytes.subarray(at + 3, at + 3 + 320));
      if (bytes[at] === 0x03) expect(bytes.subarray(at + 3, at + 4).toString()).toBe("7");
    }
    expect([at, kinds.at(-1)]).toEqual([bytes.length, 0x00]);
    expect(kinds.filter((kind) => kind === 0x03)).toHaveLength(1);
    expect(find(SAMPLE_FORMATS.slin16.decode(Buffer.concat(heard)), said)).toBeGreaterThanOrEqual(0);
  });

  test("the example: a beep, an echo, the star key", async () => {
    await using bot = new BotProcess("examples/audiosocket_bot.py", "0");
    const [, port] = await bot.prints(/port (\d+)/);
    const { phone, streamId } = await connect(8, `audiosocket://localhost:${port}`);
    await bot.prints(new RegExp(`stream ${streamId}`));
    const said = noise(8000, 9) as Int16Array<ArrayBuffer>;
    await phone.speak(said);
    await echo(phone, said);
    await phone.press("*");
    expect(await stopped(streamId)).toMatchObject({ reason: "bot_closed" });
    await bot.prints(/over/);
  });
});

describe("refusals", () => {
  const rest = (): string => `${server.rest}/lines/4`;

  test.each([
    [{}, "url"],
    [{ url: 7 }, "url"],
    [{ url: "http://bot.local/" }, "url"],
    [{ url: "ws://" }, "url"],
    [{ url: "ws://user:secret@bot.local/" }, "url"],
    [{ url: "ws://169.254.169.254/latest/meta-data" }, "url"],
    [{ url: "ws://[::ffff:169.254.169.254]/" }, "url"],
    [{ url: "ws://[fe80::1]/" }, "url"],
    [{ url: "tcp://bot.local" }, "url"],
    [{ url: "tcp://bot.local:9092/path" }, "url"],
    [{ url: "ws://bot.local/", dialect: "audiosocket" }, "dialect"],
    [{ url: "ws://bot.local/", dialect: "sip" }, "dialect"],
    [{ url: "tcp://bot.local:9092", custom_parameters: { a: "b" } }, "custom_parameters"],
    [{ url: "ws://bot.local/", custom_parameters: { a: "b".repeat(500) } }, "custom_parameters"],
    [{ url: "ws://bot.local/", custom_parameters: { a: 7 } }, "custom_parameters.a"],
    [{ url: "ws://bot.local/", when: "later" }, "when"],
    [{ url: "ws://bot.local/", track: "both" }, "track"],
  ])("%p names %s", async (body, field) => {
    const { status, body: problem } = await post(`${rest()}/stream`, body);
    expect([status, problem.code]).toEqual([422, "invalid_input"]);
    expect((problem.errors as Json[]).map(({ field }) => field)).toContain(field);
    expect((await get(`${rest()}/stream`)).body).toEqual({ stream: null });
  });

  test("on-hook, a second one, and the masked secret", async () => {
    const phone = simulatedTelephone(server, 4);
    await phone.hangUp();
    const url = "ws://127.0.0.1:1/";
    expect((await post(`${rest()}/stream`, { url })).body.code).toBe("line_on_hook");
    const { status, body } = await post(`${rest()}/stream`, { url, when: "off_hook" });
    expect([status, body.state]).toEqual([200, "waiting"]);
    const again = await post(`${rest()}/stream`, { url, when: "off_hook" });
    expect([again.status, again.body.code]).toEqual([409, "stream_active"]);
    expect((await get(`${server.rest}/streams`)).body.streams).toHaveLength(1);
    await phone.lift();
    expect(await stopped(body.stream_id as string)).toMatchObject({ reason: "connect_failed" });
    const config = (await get(`${server.rest}/config`)).body as { stream: Json };
    expect(config.stream.twilio_auth_token).toBe("***");
    expect(await server.log()).not.toContain(AUTH_TOKEN);
  });
});
