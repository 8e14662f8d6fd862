/** contract.md: how a server goes, and that it does not come where one is. */
import { describe, expect, test } from "bun:test";
import { startTelephones } from "../support/backend";
import { EventListener, post } from "../support/client";
import { startServer } from "../support/server";

test("a second server on the same port does not start, and says so", async () => {
  const { server: first } = await startTelephones(1);
  const port = new URL(first.rest).port;
  await expect(startServer({ arguments: ["--simulate=1", `--rest-port=${port}`] })).rejects.toThrow(
    `port ${port} is in use: stop the other program, or choose another port (--rest-port, --websocket-port)`,
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
});
