import { beforeEach, describe, expect, test } from "bun:test";
import { IdempotencyStore, MAX_KEYED_BODY_BYTES } from "../../../src/http/idempotency";
import { Problem } from "../../../src/http/problem";

const HOUR_MS = 60 * 60 * 1000;
let nowMs = 0;
let store: IdempotencyStore;
let done: number;
beforeEach(() => {
  nowMs = 0;
  done = 0;
  store = new IdempotencyStore(() => nowMs);
});

const post = (body: string | null = "{}", path = "/ring"): Request =>
  new Request(`http://x${path}`, { method: "POST", body, headers: { "content-type": "application/json" } });

/** Counts, and says what it was given. */
const perform = async (request: Request): Promise<Response> =>
  Response.json({ count: ++done, body: await request.text() }, { status: 202 });

async function ask(owner: string, key: string, request = post(), handle = perform) {
  try {
    const response = await store.answer(owner, key, request, handle);
    const replayed = response.headers.get("idempotency-replayed") === "true";
    return { status: response.status, replayed, body: await response.json() };
  } catch (error) {
    if (error instanceof Problem) return { status: error.status, code: error.code };
    throw error;
  }
}

describe("Idempotency-Key", () => {
  test("the same again is answered as before, and not done again", async () => {
    const first = await ask("a", "k");
    expect(first).toEqual({ status: 202, replayed: false, body: { count: 1, body: "{}" } });
    expect(await ask("a", "k")).toMatchObject({ status: 202, replayed: true, body: { count: 1, body: "{}" } });
    expect(done).toBe(1);
  });

  test("another body, query or path is another request", async () => {
    await ask("a", "k");
    const reused = { status: 422, code: "idempotency_key_reused" };
    expect(await ask("a", "k", post('{"a":1}'))).toEqual(reused);
    expect(await ask("a", "k", post(null))).toEqual(reused);
    expect(await ask("a", "k", post("{}", "/ring?repeat=2"))).toEqual(reused);
    expect(await ask("a", "k", post("{}", "/lines/2/ring"))).toEqual(reused);
    expect(done).toBe(1);
  });

  test("nobody gets another one's answer", async () => {
    await ask("a", "k");
    expect(await ask("b", "k")).toMatchObject({ replayed: false, body: { count: 2 } });
  });

  test("while the first is under way the second is told to wait", async () => {
    const gate = Promise.withResolvers<void>();
    const slow = ask("a", "k", post(), async (request) => {
      await gate.promise;
      return perform(request);
    });
    while ((await ask("a", "k", post(), () => Promise.reject(new Error("done twice")))).status !== 409)
      await Bun.sleep(0);
    gate.resolve();
    expect(await slow).toMatchObject({ body: { count: 1 } });
    expect(await ask("a", "k")).toMatchObject({ replayed: true });
  });

  test.each([
    [500, false],
    [503, false],
    [429, false],
    [403, false],
    [404, true],
    [409, true],
    [422, true],
  ])("an answer of %p is kept: %p", async (status, kept) => {
    const refuse = async (): Promise<Response> => Response.json({ count: ++done }, { status });
    await ask("a", "k", post(), refuse);
    expect(await ask("a", "k", post(), refuse)).toMatchObject({ status, replayed: kept });
    expect(done).toBe(kept ? 1 : 2);
  });

  test("one that was never answered may be sent again", async () => {
    expect(ask("a", "k", post(), () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await ask("a", "k")).toMatchObject({ replayed: false, body: { count: 1 } });
  });

  test("is forgotten after a day", async () => {
    await ask("a", "k");
    nowMs = 24 * HOUR_MS - 1;
    expect(await ask("a", "k")).toMatchObject({ replayed: true });
    nowMs = 24 * HOUR_MS;
    expect(await ask("a", "k")).toMatchObject({ replayed: false });
  });

  test.each(["", "a b", "ä", "x".repeat(256)])("%j is no key", async (key) => {
    expect(await ask("a", key)).toEqual({ status: 400, code: "invalid_idempotency_key" });
    expect(done).toBe(0);
  });

  test("a body that is too long is refused before anything is done", async () => {
    expect(await ask("a", "k", post("x".repeat(MAX_KEYED_BODY_BYTES + 1)))).toEqual({
      status: 413,
      code: "body_too_large",
    });
    expect(done).toBe(0);
  });

  test("memory is bounded: of one client, of many, of large answers", async () => {
    for (let i = 0; i < 1000; i++) await ask("a", `k${i}`);
    expect(store.bytes).toBeLessThan(200 * 1024);
    expect(await ask("a", "k999")).toMatchObject({ replayed: true });
    expect(await ask("a", "k0")).toMatchObject({ replayed: false });
    for (let i = 0; i < 1000; i++) await ask(`client ${i}`, "k");
    expect(store.bytes).toBeLessThan(200 * 1024 + 256 * 1024);
    const large = async (): Promise<Response> => Response.json("x".repeat(60_000));
    for (let i = 0; i < 1000; i++) await ask(`client ${i % 20}`, `large${i}`, post(), large);
    expect(store.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    const huge = async (): Promise<Response> => Response.json("x".repeat(100_000));
    await ask("b", "huge", post(), huge);
    expect(await ask("b", "huge", post(), huge)).toMatchObject({ replayed: false });
  });
});
