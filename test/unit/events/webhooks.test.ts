import { describe, expect, test } from "bun:test";
import { EventBus } from "../../../src/events/bus";
import { EventLog } from "../../../src/events/event_log";
import type { WebhookRequest } from "../../../src/events/webhooks/post";
import { signedHeaders, signingKey } from "../../../src/events/webhooks/signature";
import { shownUrl, Webhook, type WebhookSettings } from "../../../src/events/webhooks/webhook";
import { isPrivateAddress } from "../../../src/network/address";
import { ALL, flash, lift } from "./sink";
import { settled, virtualClock } from "./stepped_disk";

const KEY = new Uint8Array(24);
const HOUR_MS = 3_600_000;

/** A webhook whose endpoint answers what the test says. */
function webhook(more: { settings?: Partial<WebhookSettings>; cursor?: number; bus?: EventBus } = {}) {
  const clock = virtualClock();
  const bus = more.bus ?? new EventBus(1, 100);
  const requests: { id: string | undefined; atMs: number; body: Record<string, unknown> }[] = [];
  const answers: (number | Error | { status: number; retryAfterS: number })[] = [];
  const said: string[] = [];
  const saved: number[] = [];
  const set = { byMs: 0 };
  const hook = new Webhook(
    1,
    {
      url: "https://example.org/hook?key=1",
      key: KEY,
      filter: ALL,
      allowPrivate: false,
      parkAfterMs: HOUR_MS,
      ...more.settings,
    },
    {
      events: new EventLog(bus),
      cursors: {
        get: (name) => {
          expect(name).toMatch(/^sha256:[0-9a-f]{64}$/);
          return more.cursor;
        },
        save: (_, id) => saved.push(id),
        onWoundBack: () => undefined,
      },
      post: async ({ headers, body }: WebhookRequest) => {
        requests.push({ id: headers["webhook-id"], atMs: clock.ms, body: JSON.parse(body) });
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        if (answer instanceof Error) throw answer;
        return typeof answer === "object" ? answer : { status: answer ?? 204, retryAfterS: null };
      },
      nowMs: () => clock.ms + set.byMs,
      monotonicMs: () => clock.ms,
      after: clock.after,
      random: () => 0.5,
      userAgent: "test",
      log: { info: (message) => said.push(message), warning: (message) => said.push(message) },
    },
  );
  return { clock, bus, requests, answers, said, saved, hook, set };
}

describe("Standard Webhooks", () => {
  test("its own example is signed as it says", () => {
    const key = signingKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") as Uint8Array;
    const headers = signedHeaders(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, '{"test": 2432232314}');
    expect(headers).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  test.each([
    ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "no prefix"],
    ["whsec_c2hvcnQ=", "too short"],
    [`whsec_${Buffer.alloc(65).toString("base64")}`, "too long"],
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La?aSw", "no base64"],
  ])("%s is no secret: %s", (secret) => expect(signingKey(secret)).toBeNull());
});

test.each([
  "127.0.0.1 10.1.2.3 172.31.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 198.18.0.1",
  "::1 :: fe80::1 fd00::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: 2001:db8::1 ff02::1 nonsense",
])("private: %s", (addresses) => {
  for (const address of addresses.split(" "))
    expect(`${address} ${isPrivateAddress(address)}`).toBe(`${address} true`);
});
test.each(["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])(
  "public: %s",
  (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  },
);

test("a URL is shown without its path and query", () => {
  expect(shownUrl("https://example.org:8443/api/webhook/key")).toBe("https://example.org:8443/***");
  expect(shownUrl("https://example.org/?key=1")).toBe("https://example.org/***");
  expect(shownUrl("https://example.org/")).toBe("https://example.org/");
});

describe("a webhook", () => {
  test("is sent what comes from now on, in order, each with its id", async () => {
    const bus = new EventBus(1, 100);
    lift(bus);
    const { requests, saved, hook } = webhook({ bus });
    await settled();
    expect(saved).toEqual([1]);
    flash(bus);
    lift(bus);
    await settled();
    expect(requests.map(({ id, body }) => [id, body.type])).toEqual([
      ["event_2", "flash"],
      ["event_3", "off_hook"],
    ]);
    expect(saved.at(-1)).toBe(3);
    expect(hook.status()).toMatchObject({ state: "delivering", delivered: 2, position: "3" });
  });

  test("takes up where it was, filters, and tells a gap", async () => {
    const bus = new EventBus(1, 4);
    for (let i = 0; i < 10; i++) lift(bus, (i % 2) + 1);
    const { requests } = webhook({ bus, cursor: 2, settings: { filter: { types: null, lines: [2] } } });
    await settled();
    expect(requests.map(({ id }) => id)).toEqual(["gap_3_6", "event_8", "event_10"]);
    expect(requests[0]?.body).toEqual({ type: "gap", from: "3", to: "6" });
  });

  test("tries again with growing pauses and the same id, nothing overtakes", async () => {
    const { bus, clock, requests, answers, said, hook } = webhook();
    await settled();
    answers.push(new Error("cannot be reached (ECONNREFUSED)"), 500, 302, 200);
    const startMs = clock.ms;
    flash(bus);
    lift(bus);
    await clock.pass(500);
    expect(hook.status()).toMatchObject({
      state: "retrying",
      failed_attempts: 1,
      last_error: "cannot be reached (ECONNREFUSED)",
    });
    await clock.pass(60_000);
    // 1, 2, 4 s, each times three quarters.
    expect(requests.map(({ atMs }) => atMs - startMs)).toEqual([0, 750, 2250, 5250, 5250]);
    expect(requests.map(({ id }) => id)).toEqual(["event_1", "event_1", "event_1", "event_1", "event_2"]);
    expect(said).toEqual(["a webhook does not take events: trying again", "a webhook takes events again"]);
    expect(hook.status()).toMatchObject({ state: "delivering", failed_attempts: 0, failing_since: null });
  });

  test("waits as long as the endpoint asks, at most an hour", async () => {
    const { bus, clock, requests, answers } = webhook({ settings: { parkAfterMs: 24 * HOUR_MS } });
    await settled();
    answers.push({ status: 429, retryAfterS: 120 }, { status: 503, retryAfterS: 1e6 }, 200);
    const startMs = clock.ms;
    flash(bus);
    await clock.pass(3 * HOUR_MS);
    expect(requests.map(({ atMs }) => (atMs - startMs) / 1000)).toEqual([0, 120, 3720]);
  });

  test("is given up after its time, and goes on where it was when it is resumed", async () => {
    const { bus, clock, requests, answers, said, hook } = webhook();
    await settled();
    answers.push(500);
    flash(bus);
    await clock.pass(2 * HOUR_MS);
    const attempts = requests.length;
    expect(hook.status()).toMatchObject({ state: "parked", last_error: "it answered 500", position: "0" });
    // Never more often than every 3¾ minutes, at last.
    expect(attempts).toBeLessThan(30);
    lift(bus);
    await clock.pass(24 * HOUR_MS);
    expect(requests).toHaveLength(attempts);
    expect(said.at(-1)).toStartWith("a webhook is given up");
    answers[0] = 200;
    hook.resume();
    await settled();
    expect(requests.slice(attempts).map(({ id }) => id)).toEqual(["event_1", "event_2"]);
    expect(hook.status().state).toBe("delivering");
  });

  test("a clock that is set, as after a start without a battery, gives nobody up", async () => {
    const { bus, clock, answers, hook, set } = webhook();
    await settled();
    answers.push(new Error("cannot be reached (EAI_AGAIN)"), new Error("cannot be reached (EAI_AGAIN)"), 200);
    flash(bus);
    await clock.pass(100);
    set.byMs = 365 * 24 * HOUR_MS;
    await clock.pass(10_000);
    expect(hook.status()).toMatchObject({ state: "delivering", delivered: 1 });
  });

  test("410 is given up at once", async () => {
    const { bus, clock, requests, answers, hook } = webhook();
    await settled();
    answers.push(410);
    flash(bus);
    await clock.pass(HOUR_MS);
    expect(requests).toHaveLength(1);
    expect(hook.status().state).toBe("parked");
  });

  test("stopped, asks no more, and has not moved", async () => {
    const { bus, clock, requests, answers, saved, hook } = webhook();
    await settled();
    answers.push(500);
    flash(bus);
    await clock.pass(100);
    hook.stop();
    await clock.pass(HOUR_MS);
    expect(requests).toHaveLength(1);
    expect(saved).toEqual([0]);
  });
});
