/** A server that has no tokens yet. */
import { expect, test } from "bun:test";
import { EventListener, get, post, request } from "../support/client";
import { startConfigured } from "../support/configured";
import { startServer } from "../support/server";

const CONFIGURED = "hunter2-hunter2-hunter2";
const as = (token: string, url: string, method = "GET") =>
  request(url, { method, headers: { authorization: `Bearer ${token}` } });

test("asks for none; the first must be able to make more; from then on they are needed", async () => {
  await using open = await startServer();
  using listener = await EventListener.open(open.websocket);
  expect((await get(`${open.rest}/tokens`)).body).toEqual({ tokens: [] });
  expect((await get(`${open.rest}/events?limit=1`)).status).toBe(200);
  expect(await post(`${open.rest}/tokens`, { name: "a", scope: "control" })).toMatchObject({
    status: 422,
    body: { errors: [{ field: "scope" }] },
  });
  const { body } = await post(`${open.rest}/tokens`, { name: "a", scope: "admin" });
  expect((await listener.closed).code).toBe(1008);
  expect((await get(`${open.rest}/status`)).status).toBe(401);
  expect((await as(String(body.token), `${open.rest}/tokens/a`, "DELETE")).status).toBe(204);
  expect((await get(`${open.rest}/status`)).status).toBe(200);
});

test("does not listen to the network; with a token it does, and needs it", async () => {
  await expect(startServer({ arguments: ["--simulate", "--host=0.0.0.0"] })).rejects.toThrow(/token create/);
  await using guarded = await startConfigured(
    `server: { host: 0.0.0.0 }\nsecurity: { api_tokens: [${CONFIGURED}] }\n`,
  );
  expect((await get(`${guarded.rest}/status`)).status).toBe(401);
  expect((await as(CONFIGURED, `${guarded.rest}/tokens`)).status).toBe(200); // alone, it is of an admin
});
