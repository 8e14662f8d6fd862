/** WS /lines/{line}/audio: what is said arrives, what is sent is heard, and nobody is delayed by another. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SAMPLE_FORMATS } from "../../src/audio/sample_format";
import { AudioClient } from "../support/audio_client";
import { get, type Json, post, request, simulatedTelephone, type Telephone } from "../support/client";
import { needs } from "../support/needs";
import { eventually, ROOT, type RunningServer, startServer } from "../support/server";
import { find, noise } from "../support/stepped";

let server: RunningServer;
beforeAll(async () => {
  // Nothing on the lines but what is said, and nothing lost in companding: then all is compared sample for sample.
  server = await startServer({
    arguments: ["--simulate=32", "--config", `${import.meta.dir}/live_audio.yml`],
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

let lastLine = 0;
const freshLine = (): { line: number; phone: Telephone; url: string; rest: string } => {
  const line = ++lastLine;
  const rest = `${server.rest}/lines/${line}`;
  return { line, phone: simulatedTelephone(server, line), url: `${rest.replace("http:", "ws:")}/audio`, rest };
};
const lifted = async () => {
  const fresh = freshLine();
  await fresh.phone.lift();
  return fresh;
};
/** A WebSocket's request, whose refusal can be read. */
const upgrade = (url: string): Promise<{ status: number; body: Json }> =>
  request(url.replace("ws:", "http:"), {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
const speech = (samples: number, seed: number): Int16Array<ArrayBuffer> =>
  noise(samples, seed) as Int16Array<ArrayBuffer>;

describe("listening", () => {
  test("two hear what is said, sample for sample and without a gap, on both ports", async () => {
    const { line, phone, url } = await lifted();
    using one = await AudioClient.open(`${url}?mode=listen`);
    using two = await AudioClient.open(
      `${server.websocket.replace("/ws", "")}/lines/${line}/audio?mode=listen&frame_ms=60`,
    );
    expect(await one.tells("started")).toEqual({
      type: "started",
      line,
      format: "slin16",
      sample_rate: 8000,
      frame_ms: 20,
      mode: "listen",
    });
    await two.tells("started", { frame_ms: 60 });
    const said = speech(8000, line);
    await phone.speak(said);
    for (const client of [one, two])
      await eventually(
        () => find(client.heard(), said),
        (at) => at >= 0,
      );
    expect(new Set(one.frames.map(({ length }) => length))).toEqual(new Set([320]));
    expect(new Set(two.frames.map(({ length }) => length))).toEqual(new Set([960]));
    expect(await one.stats()).toMatchObject({ lost_samples: 0, frames_in: 0 });
  });

  test("G.711 is what was said, companded", async () => {
    const { phone, url } = await lifted();
    const said = speech(4000, 9);
    for (const format of ["mulaw", "alaw"] as const) {
      using client = await AudioClient.open(`${url}?mode=listen&format=${format}`);
      await client.tells("started");
      await phone.speak(said);
      const codec = SAMPLE_FORMATS[format];
      const expected = codec.decode(codec.encode(said));
      await eventually(
        () => find(codec.decode(Buffer.concat(client.frames)), expected),
        (at) => at >= 0,
      );
      expect(client.frames[0]?.length).toBe(160);
    }
  });
});

describe("a session's life", () => {
  test("on-hook is refused with a problem; it waits for the lift where that is wanted, and ends at hanging up", async () => {
    const { line, phone, url } = freshLine();
    expect(await upgrade(url)).toMatchObject({ status: 409, body: { code: "line_on_hook" } });
    using client = await AudioClient.open(`${url}?mode=listen&when=off_hook`);
    await client.stats(); // it is served, and has told nothing of its own
    expect(client.told.map(({ type }) => type)).toEqual(["stats"]);
    await phone.lift();
    expect(await client.tells("started")).toMatchObject({ line });
    await eventually(
      () => client.frames.length,
      (frames) => frames > 3,
    );
    await phone.hangUp();
    expect(await client.closed()).toEqual({ code: 1000, reason: "hung_up" });
    expect(client.told.at(-1)).toMatchObject({ type: "stopped", reason: "hung_up", lost_samples: 0 });
  });

  test("a wrong query is refused with the field's name, an unknown line, and what is no WebSocket", async () => {
    const { url, rest } = await lifted();
    for (const [query, field] of [
      ["format=opus", "format"],
      ["frame_ms=10", "frame_ms"],
      ["frame_ms=30", "frame_ms"],
      ["mode=sing", "mode"],
      ["buffer_ms=5", "buffer_ms"],
      ["buffer_ms=100&max_buffer_ms=110", "max_buffer_ms"],
      ["speed=2", "speed"],
    ]) {
      const { status, body } = await upgrade(`${url}?${query}`);
      expect([query, status, (body.errors as { field: string }[])[0]?.field]).toEqual([query, 422, field]);
    }
    expect(await upgrade(`${server.rest}/lines/99/audio`)).toMatchObject({
      status: 404,
      body: { code: "unknown_line" },
    });
    expect(await get(`${rest}/audio`)).toMatchObject({ status: 426, body: { code: "websocket_only" } });
    expect(await post(`${rest}/audio`)).toMatchObject({ status: 405 });
  });

  test("text that is no control is answered, bounded; a client that floods is closed", async () => {
    const { url } = await lifted();
    using client = await AudioClient.open(`${url}?mode=listen`);
    await client.tells("started");
    client.socket.send("play something");
    await client.tells("error", { code: "malformed_json" });
    client.say({ type: "sing" });
    client.say({ type: "mark", name: 7 });
    await eventually(
      () => client.told.filter(({ code }) => code === "invalid_input").length,
      (refused) => refused === 2,
    );
    for (let i = 0; i < 200; i++) client.say({ type: "stats" });
    expect(await client.closed()).toEqual({ code: 1008, reason: "too many frames" });
  });

  test("a frame that is longer than websocket.max_message_size closes its connection, and no other", async () => {
    const { url } = await lifted();
    using good = await AudioClient.open(`${url}?mode=listen`);
    using bad = await AudioClient.open(`${url}?mode=listen`);
    await bad.tells("started");
    bad.socket.send(new Uint8Array(200_000));
    expect((await bad.closed()).code).toBeGreaterThanOrEqual(1006);
    const before = good.frames.length;
    await eventually(
      () => good.frames.length,
      (frames) => frames > before + 5,
    );
    expect(good.close).toBeNull();
  });
});

/** What is said is heard again. A busy machine may make an echo stumble: then it is said again. */
const comesBack = (phone: Telephone, afterMs: number): Promise<number> =>
  eventually(
    async () => {
      const spoken = speech(4000, Math.random() * 1e9);
      await phone.speak(spoken);
      await Bun.sleep(afterMs);
      return find(await phone.ear(30), spoken);
    },
    (at) => at >= 0,
  );

/** What begins is faded in over so much. */
const FADE = 40;

describe("talking", () => {
  test("what is sent is heard, sample for sample and without a gap, whatever the frames' lengths", async () => {
    const isHeard = async (): Promise<boolean> => {
      const { phone, url } = await lifted();
      using client = await AudioClient.open(url);
      await client.tells("started", { mode: "both" });
      const said = speech(16_000, 31);
      for (let at = 0, length = 1; at < said.length; at += length, length = (length * 7) % 1999)
        client.talk(said.subarray(at, at + length));
      client.say({ type: "mark", name: "all" });
      expect(await client.tells("mark")).toEqual({ type: "mark", name: "all" });
      const { underruns, ...stats } = await client.stats();
      expect(stats).toMatchObject({ samples_in: 16_000, dropped_samples: 0 });
      return underruns === 0 && find(await phone.ear(30), said.subarray(FADE)) >= 0;
    };
    // A voice stumbles where the machine stands still: then it is said again.
    await eventually(isHeard, (whole) => whole);
  });

  test("in G.711 as well", async () => {
    const { phone, url } = await lifted();
    const said = speech(4000, 32);
    for (const format of ["mulaw", "alaw"] as const) {
      using client = await AudioClient.open(`${url}?mode=talk&format=${format}`);
      await client.tells("started", { mode: "talk" });
      const codec = SAMPLE_FORMATS[format];
      const bytes = codec.encode(said);
      client.socket.send(bytes);
      client.say({ type: "mark", name: "all" });
      await client.tells("mark");
      expect(find(await phone.ear(30), codec.decode(bytes).subarray(FADE))).toBeGreaterThanOrEqual(0);
      expect(client.frames.length).toBe(0);
      client.socket.close();
      await client.closed();
      await eventually(
        async () => (await get(url.replace("ws:", "http:").replace("/audio", "/status"))).body.state,
        (state) => state === "OFF_HOOK",
      );
    }
  });

  test("an echoing client says what it heard, sample for sample", async () => {
    const { phone, url, rest } = await lifted();
    // In a process of its own, and with a jitter buffer for a machine that does other things beside.
    const bot = Bun.spawn([process.execPath, `${ROOT}/bench/echo_bot.ts`, `${url}?buffer_ms=500`], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    try {
      await bot.stdout.getReader().read(); // "ready"
      expect((await get(`${rest}/status`)).body.state).toBe("IN_CALL");
      await comesBack(phone, 700);
    } finally {
      bot.kill();
      await bot.exited;
    }
  });

  test("clear fades and answers the marks that wait; xoff and xon say how much does", async () => {
    const { phone, url } = await lifted();
    using client = await AudioClient.open(`${url}?mode=talk`);
    await client.tells("started");
    for (let i = 0; i < 10; i++) client.talk(speech(17_000, 34 + i));
    client.say({ type: "mark", name: "never" });
    await client.tells("xoff");
    client.say({ type: "clear" });
    expect(await client.tells("mark")).toEqual({ type: "mark", name: "never", cleared: true });
    await client.tells("xon");
    const word = speech(1600, 50);
    client.talk(word);
    client.say({ type: "mark", name: "word" });
    expect(await client.tells("mark", { name: "word" })).toEqual({ type: "mark", name: "word" });
    expect(find(await phone.ear(30), word.subarray(FADE))).toBeGreaterThanOrEqual(0);
  });

  test("one at a time, unless all of them mix; hanging up ends every one", async () => {
    const { phone, url } = await lifted();
    using first = await AudioClient.open(url);
    await first.tells("started");
    const refused = await upgrade(url);
    expect(refused).toMatchObject({ status: 409, body: { code: "talker_active" } });
    expect(String(refused.body.detail)).toContain("mix=true");
    using listener = await AudioClient.open(`${url}?mode=listen`);
    await listener.tells("started");
    await phone.hangUp();
    for (const client of [first, listener]) expect(await client.closed()).toMatchObject({ code: 1000 });
    await phone.lift();
    const both = [speech(1600, 61), speech(1600, 62)] as const;
    using one = await AudioClient.open(`${url}?mix=true`);
    using two = await AudioClient.open(`${url}?mix=true`);
    for (const [i, client] of [one, two].entries()) {
      client.talk(both[i] as Int16Array);
      client.say({ type: "mark", name: "said" });
    }
    await Promise.all([one.tells("mark"), two.tells("mark")]);
    expect((await one.stats()).dropped_samples).toBe(0);
  });
});

const python = "/usr/bin/python3";
const hasWebsockets = Bun.spawnSync([python, "-c", "import websockets"], { stderr: "ignore" }).exitCode === 0;
needs(hasWebsockets, "sudo apt install python3-websockets")(
  "examples/echo_bot.py says it back",
  async () => {
    const { line, phone } = freshLine();
    const bot = Bun.spawn(
      [python, `${ROOT}/examples/echo_bot.py`, server.websocket.replace("/ws", ""), String(line)],
      { stdout: "pipe", stderr: "inherit" },
    );
    try {
      await phone.lift(); // before it has connected, or after: it waits for that
      let said = "";
      // To its end: it may have more to say, and must be able to.
      void (async () => {
        for await (const chunk of bot.stdout) said += new TextDecoder().decode(chunk);
      })();
      await eventually(
        () => said,
        (text) => text.includes("started"),
      );
      expect(said).toStartWith("lift the handset\n");
      await comesBack(phone, 1500);
      await phone.press("*");
      expect(await bot.exited).toBe(0);
    } finally {
      bot.kill();
    }
  },
  120_000,
);
