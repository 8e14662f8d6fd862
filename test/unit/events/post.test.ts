import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postWebhook, type WebhookRequest } from "../../../src/events/webhooks/post";
import { needs } from "../../support/needs";

const folder = mkdtempSync(join(tmpdir(), "dahdi-post-"));
afterAll(() => rmSync(folder, { recursive: true }));

const post = (url: string, more: Partial<WebhookRequest> = {}) =>
  postWebhook({
    url: new URL(url),
    headers: { "webhook-id": "event_1" },
    body: '{"text":"grüß dich"}',
    allowPrivate: true,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    ...more,
  });

const why = async (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    (given) => JSON.stringify(given),
    (error: Error) => error.message,
  );

/** Answers every connection with these bytes; null: with nothing. */
async function raw(answer: string | null) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => answer !== null && socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`, close: () => server.close() };
}

describe("a delivery", () => {
  test("is one POST with its headers and its body", async () => {
    const seen: Record<string, unknown>[] = [];
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        seen.push({ method: request.method, path: pathname + search, body: await request.text() });
        seen.push(Object.fromEntries(request.headers));
        return new Response("thank you", { status: 201, headers: { "retry-after": "7" } });
      },
    });
    expect(await post(`http://localhost:${server.port}/a/b?c=d`)).toEqual({ status: 201, retryAfterS: 7 });
    expect(seen[0]).toEqual({ method: "POST", path: "/a/b?c=d", body: '{"text":"grüß dich"}' });
    expect(seen[1]).toMatchObject({ "webhook-id": "event_1", "content-type": "application/json" });
    expect(seen[1]?.host).toBe(`localhost:${server.port}`);
  });

  test("does not reach a private address, whatever its name", async () => {
    let asked = 0;
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(String(++asked)) });
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"]) {
      const message = await why(post(`http://${host}:${server.port}/`, { allowPrivate: false }));
      expect(`${host} ${message}`).toBe(`${host} its address is private: allow_private permits that`);
    }
    expect(asked).toBe(0);
  });

  test("does not follow a redirect", async () => {
    let asked = 0;
    using target = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(String(++asked)) });
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.redirect(`http://127.0.0.1:${target.port}/`, 307),
    });
    expect(await post(`http://127.0.0.1:${server.port}/`)).toEqual({ status: 307, retryAfterS: null });
    expect(asked).toBe(0);
  });

  test("that is not answered, or not with HTTP, fails with a reason", async () => {
    const silent = await raw(null);
    expect(await why(post(silent.url, { timeoutMs: 100 }))).toBe("no answer within 100 ms");
    silent.close();
    expect(await why(post(silent.url))).toBe("cannot be reached (ECONNREFUSED)");
    const endless = await raw("x".repeat(100_000));
    expect(await why(post(endless.url))).toBe("its answer is not HTTP");
    endless.close();
    const empty = await raw("");
    expect(await why(post(empty.url))).toBe("closed the connection without an answer");
    empty.close();
    const early = await raw("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    expect(await why(post(early.url))).toBe('{"status":204,"retryAfterS":null}');
    early.close();
    const stop = new AbortController();
    const stuck = await raw(null);
    const stopped = why(post(stuck.url, { signal: stop.signal }));
    stop.abort();
    expect(await stopped).toBe("stopped");
    stuck.close();
  });

  const certified = needs(Bun.which("openssl") !== null, "apt-get install openssl");
  certified("looks at certificates", async () => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const made = Bun.spawnSync(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ${key} -out ${cert} -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost`.split(
        " ",
      ),
    );
    expect(made.exitCode).toBe(0);
    const ca = readFileSync(cert, "utf8");
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { key: readFileSync(key, "utf8"), cert: ca },
      fetch: () => new Response(null, { status: 204 }),
    });
    expect(await why(post(`https://localhost:${server.port}/`))).toStartWith("cannot be reached (");
    expect(await post(`https://localhost:${server.port}/`, { ca })).toEqual({ status: 204, retryAfterS: null });
    // A certificate for another name.
    expect(await why(post(`https://127.0.0.1:${server.port}/`, { ca }))).toStartWith("cannot be reached (");
  });
});
