/** What a malicious web page in the owner's browser may not, and what a page that is listed may. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { get, request } from "../support/client";
import { type ConfiguredServer, rawRequest, startConfigured } from "../support/configured";

const LISTED = "https://console.example.org";
let server: ConfiguredServer;
let plain: ConfiguredServer;
let own: string;
beforeAll(async () => {
  server = await startConfigured(
    `server: { allowed_hosts: [phone.example.org] }\nsecurity: { allowed_origins: ["${LISTED}"] }\n`,
  );
  plain = await startConfigured("");
  own = new URL(server.rest).host;
});
afterAll(() => Promise.all([server.stop(), plain.stop()]));

const upgrade = (host: string, origin?: string, path = "/ws"): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${origin ? `Origin: ${origin}\r\n` : ""}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

describe("DNS rebinding: a request that calls us by a stranger's name", () => {
  test.each(["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"])(
    "%s is refused",
    async (host) => {
      for (const first of [
        "GET /status",
        "POST /ring",
        "GET /docs",
        "GET /openapi.json",
        "GET /health",
        "OPTIONS /ring",
        "GET /nothing",
      ]) {
        for (const { rest } of [server, plain]) {
          const { status, body } = await rawRequest(
            rest,
            `${first} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`,
          );
          expect(`${first} ${status} ${JSON.parse(body).code}`).toBe(`${first} 403 host_not_allowed`);
        }
      }
      expect((await rawRequest(plain.rest, upgrade(host))).status).toBe(403);
    },
  );

  test.each(["127.0.0.1:8000", "localhost", "pi", "pi.local", "[::1]:8000", "192.168.0.4", "phone.example.org"])(
    "%s is let in",
    async (host) => {
      expect((await rawRequest(server.rest, `GET /status HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status).toBe(200);
      expect((await rawRequest(server.rest, upgrade(host))).status).toBe(101);
    },
  );

  test("a request line with a name of its own changes nothing, two Hosts neither", async () => {
    const status = async (text: string): Promise<number> => (await rawRequest(plain.rest, text)).status;
    expect(await status("GET http://localhost/status HTTP/1.1\r\nHost: evil.example\r\n\r\n")).toBe(403);
    expect(await status("GET /status HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n")).toBe(403);
  });

  test.each(["example.org:80", "127.0.0.1:80"])(
    "CONNECT %s, which has no path, is a problem like any other",
    async (host) => {
      const text = `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      const { status, head, body } = await rawRequest(plain.rest, text);
      expect([status, JSON.parse(body).code]).toEqual([400, "bad_host"]);
      expect(head).toContain("application/problem+json");
    },
  );

  test.each(["a@evil.example", "localhost/evil", "", "evil example"])("%j is no name", async (host) => {
    const { status, body } = await rawRequest(plain.rest, `GET /status HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect([status, JSON.parse(body).code]).toEqual([400, "bad_host"]);
  });
});

describe("a web page of another origin", () => {
  const foreign = [
    "http://evil.example",
    "null",
    "http://127.0.0.1:3000",
    "http://localhost:9",
    "https://console.example.org.evil.example",
  ];
  test.each(foreign)("%s may change nothing", async (origin) => {
    for (const { rest } of [server, plain]) {
      for (const [method, path] of [
        ["POST", "/ring"],
        ["POST", "/tokens"],
        ["DELETE", "/recordings/x"],
        ["POST", "/nothing"],
      ] as const) {
        // As a form or fetch without preflight would.
        const answer = await request(rest + path, { method, headers: { origin, "content-type": "text/plain" } });
        expect(answer).toMatchObject({ status: 403, body: { code: "origin_not_allowed" } });
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      }
      expect((await get(`${rest}/status`)).body.state).toBe("IDLE");
    }
  });

  test.each(foreign)("%s may not listen", async (origin) => {
    for (const { rest, websocket } of [server, plain]) {
      for (const port of [rest, websocket]) {
        const { status, body } = await rawRequest(port, upgrade(own, origin));
        expect([status, JSON.parse(body).code]).toEqual([403, "origin_not_allowed"]);
        expect((await rawRequest(port, upgrade(own, origin, "/audio?mode=listen"))).status).toBe(403);
      }
      for (const path of ["/status", "/events", "/events/stream"]) {
        const response = await fetch(rest + path, { headers: { origin } });
        expect(response.headers.get("access-control-allow-origin")).toBeNull(); // so the browser gives the page nothing
        await response.body?.cancel();
      }
    }
    const preflight = await request(`${server.rest}/ring`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(preflight).toMatchObject({ status: 403, body: { code: "origin_not_allowed" } });
  });

  test("our own pages may, of either port", async () => {
    for (const { rest, websocket } of [server, plain]) {
      const origins = [rest, websocket].map((url) => `http://${new URL(url).host}`);
      for (const origin of origins) {
        expect((await request(`${rest}/stop-ring`, { method: "POST", headers: { origin } })).status).toBe(200);
        for (const port of [rest, websocket])
          expect((await rawRequest(port, upgrade(new URL(port).host, origin))).status).toBe(101);
      }
    }
  });

  test("one that is listed may, and reads the answers, errors too", async () => {
    const headers = { origin: LISTED };
    const preflight = await request(`${server.rest}/ring`, {
      method: "OPTIONS",
      headers: {
        ...headers,
        "access-control-request-method": "POST",
        "access-control-request-private-network": "true",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(preflight.headers.get("access-control-allow-private-network")).toBe("true");
    for (const answer of [
      preflight,
      await request(`${server.rest}/status`, { headers }),
      await request(`${server.rest}/stop-ring`, { method: "POST", headers }),
      await request(`${server.rest}/lines/99`, { headers }),
      await request(`${server.rest}/nothing`, { headers }),
    ]) {
      expect(answer.headers.get("access-control-allow-origin")).toBe(LISTED);
      expect(answer.headers.get("vary")).toBe("Origin");
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    }
    expect((await rawRequest(server.websocket, upgrade(own, LISTED))).status).toBe(101);
  });

  test("a star lists all", async () => {
    await using any = await startConfigured('security: { allowed_origins: ["*"] }\n');
    const answer = await request(`${any.rest}/stop-ring`, { method: "POST", headers: { origin: "null" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  });
});

describe("our page", () => {
  test("loads nothing from elsewhere, is framed by nobody, and tells nobody where it was", async () => {
    const { headers } = await fetch(`${plain.rest}/docs`);
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("offers Authorize, and says which operations want what", async () => {
    const { body } = await get(`${plain.rest}/openapi.json`);
    const { components, security, paths } = body as {
      components: { securitySchemes: unknown };
      security: unknown;
      paths: Record<string, Record<string, { security?: unknown; responses: object }>>;
    };
    expect(components.securitySchemes).toMatchObject({ token: { type: "http", scheme: "bearer" } });
    expect(security).toEqual([{ token: [] }, {}]);
    expect(paths["/health"]?.get?.security).toEqual([]);
    for (const status of ["401", "403", "429"])
      expect(Object.keys(paths["/ring"]?.post?.responses ?? {})).toContain(status);
  });
});
