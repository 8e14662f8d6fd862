/** Events as Server-Sent Events. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startTelephones, type Telephones } from "../support/backend";
import { get, request } from "../support/client";
import { EventStreamClient } from "../support/event_stream";
import { eventually } from "../support/server";

let phones: Telephones;
beforeAll(async () => {
  phones = await startTelephones(3);
}, 120_000);
afterAll(async () => {
  await phones.server.stop();
});

const seen = (client: EventStreamClient, type: string) =>
  eventually(
    () => client.types(),
    (types) => types.includes(type),
  );

describe("GET /events/stream", () => {
  test("is what a WebSocket gets, with ids, and takes the same filters", async () => {
    const url = `${phones.server.rest}/events/stream`;
    await using all = await EventStreamClient.open(`${url}?line=1`);
    await using some = await EventStreamClient.open(`${url}?line=1&types=dtmf,on_hook&ts=offset`);
    expect(all.headers.get("content-type")).toStartWith("text/event-stream");
    const phone = phones.telephone(1);
    await phone.lift();
    await phone.press("1");
    await phone.hangUp();
    await seen(all, "on_hook");
    await seen(some, "on_hook");
    expect(all.types()[0]).toBe("off_hook");
    for (const { id, data } of all.events) expect(id).toBe(data.id as string);
    expect(some.types()).toEqual(["dtmf", "on_hook"]);
    expect(String(some.events[0]?.data.timestamp)).toEndWith("+00:00");
  });

  test("after a break Last-Event-ID outweighs since, and nothing comes twice or is missed", async () => {
    const url = `${phones.server.rest}/events/stream?line=2&types=off_hook,dtmf,on_hook`;
    const phone = phones.telephone(2);
    let last: string;
    {
      await using first = await EventStreamClient.open(url);
      await phone.lift();
      await seen(first, "off_hook");
      last = first.events[0]?.id ?? "";
    }
    await phone.press("34");
    await using second = await EventStreamClient.open(`${url}&since=0`, last);
    await seen(second, "caught_up");
    await phone.hangUp();
    await seen(second, "on_hook");
    expect(second.events.map(({ data }) => data.digit ?? data.type)).toEqual(["3", "4", "caught_up", "on_hook"]);
  });

  test("0 is the beginning; an id that is not kept asks for a resync", async () => {
    const url = `${phones.server.rest}/events/stream`;
    await using whole = await EventStreamClient.open(`${url}?since=0`);
    await seen(whole, "caught_up");
    const { body } = await get(`${phones.server.rest}/events?limit=1`);
    expect(whole.events[0]?.data).toEqual(
      (body.events as Record<string, unknown>[])[0] as Record<string, unknown>,
    );
    await using old = await EventStreamClient.open(url, "7");
    await seen(old, "resync_required");
  });

  test("what is wrong is a problem", async () => {
    const url = `${phones.server.rest}/events/stream`;
    expect(await request(url, { headers: { "last-event-id": "x" } })).toMatchObject({
      status: 422,
      body: { code: "invalid_input", errors: [{ field: "Last-Event-ID" }] },
    });
    expect((await get(`${url}?types=nonsense`)).status).toBe(422);
    expect((await get(`${url}?line=99`)).status).toBe(404);
    expect((await get(`${url}?limit=5`)).status).toBe(422);
    expect((await request(url, { method: "POST" })).status).toBe(405);
  });
});
