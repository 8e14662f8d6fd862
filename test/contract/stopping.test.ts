/** contract.md: how a server goes. */
import { describe, expect, test } from "bun:test";
import { startTelephones } from "../support/backend";
import { EventListener, post } from "../support/client";

describe("stopping", () => {
  test("SIGTERM tells the clients 1001 and ends with 0", async () => {
    const { server: own } = await startTelephones(1);
    const events = await EventListener.open(own.websocket);
    await post(`${own.rest}/ring`, { pattern: "CONTINUOUS" });
    const stopped = own.stop("SIGTERM");
    expect((await events.closed).code).toBe(1001);
    expect(await stopped).toBe(0);
  });
});
