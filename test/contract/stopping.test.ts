/** contract.md: how a server goes, and that it does not come where one is. */
import { describe, expect, test } from "bun:test";
import { AudioClient } from "../support/audio_client";
import { startTelephones } from "../support/backend";
import { EventListener, post, simulatedTelephone } from "../support/client";
import { untilGathering } from "../support/gathering";
import { RemoteBot } from "../support/remote_bot";
import { startServer } from "../support/server";

test("a second server on the same port does not start, and says so", async () => {
  const { server: first } = await startTelephones(1);
  const port = new URL(first.rest).port;
  await expect(startServer({ arguments: ["--simulate=1", `--rest-port=${port}`] })).rejects.toThrow(
    `port ${port} is in use: stop the other program, or choose another port (server: in the configuration, --rest-port, --websocket-port)`,
  );
  await first.stop();
});

describe("stopping", () => {
  test("SIGTERM tells the clients 1001 and ends with 0", async () => {
    const { server: own } = await startTelephones(1);
    const events = await EventListener.open(own.websocket);
    await post(`${own.rest}/ring`, { pattern: "CONTINUOUS" });
    const stopped = own.stop("SIGTERM");
    expect((await events.closed).code).toBe(1001);
    expect(await stopped).toBe(0);
    // The bell is silent, and that was told, before anybody was told to go.
    expect(events.frames.at(-1)).toMatchObject({ type: "ring_stop", reason: "stopped" });
  });

  test("whatever does not end by itself is not waited for", async () => {
    const { server: own, telephone } = await startTelephones(1);
    await telephone(1).lift();
    const waiting = post(`${own.rest}/gather`, { prompt: { tone: "dial" }, timeout: 600 }).catch(() => null);
    const endless = fetch(`${own.rest}/play-audio?when=off_hook`, {
      method: "POST",
      body: new ReadableStream({ pull: () => new Promise(() => undefined) }),
    }).catch(() => null);
    await post(`${own.rest}/record`, {});
    expect(await own.stop("SIGTERM")).toBe(0);
    await Promise.all([waiting, endless]);
  });

  test("who hears a line live is told", async () => {
    const own = await startServer({ arguments: ["--simulate=1"] });
    await simulatedTelephone(own).lift();
    using client = await AudioClient.open(`${own.rest.replace("http:", "ws:")}/audio`);
    await client.tells("started", { line: 1 });
    expect(await own.stop()).toBe(0);
    expect(await client.closed()).toMatchObject({ code: 1001 });
    expect(client.told.at(-1)).toEqual({ type: "stopped", reason: "server_stopping" });
  });

  test("a program that ends says so to its bots", async () => {
    await using bot = await RemoteBot.start("twilio");
    const own = await startServer({ arguments: ["--simulate=1"] });
    await simulatedTelephone(own).lift();
    await post(`${own.rest}/stream`, { url: bot.url });
    await bot.hears("media");
    expect(await own.stop()).toBe(0);
    await bot.hears("stop");
    await bot.tells("closed");
  });

  test("a request may wait for longer than api.timeout, and is answered when the server ends", async () => {
    await using patient = await startServer({ arguments: ["--simulate=2"], environment: { API_TIMEOUT: "5" } });
    await post(`${patient.rest}/simulator/lines/1/lift`);
    const [{ body }, collecting, rung] = await Promise.all([
      // Bun counts silence in steps of four seconds, and only where no body was read.
      post(`${patient.rest}/gather?timeout_ms=10000`),
      post(`${patient.rest}/lines/2/gather?when=off_hook&wait=false`),
      post(`${patient.rest}/lines/2/announce`, { tone: "busy", max_ring_seconds: 1 }),
    ]);
    expect(body).toMatchObject({ reason: "timeout" });
    expect(collecting.status).toBe(200);
    expect(rung.body).toMatchObject({ outcome: "not_answered" });
    const waiting = post(`${patient.rest}/gather`, { timeout: 60 });
    await untilGathering(patient.rest);
    expect(await patient.stop()).toBe(0);
    expect((await waiting).body).toMatchObject({ reason: "stopped" });
  });
});
