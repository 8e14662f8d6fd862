/** Attacks on what is counted: by address, by token, by forged headers; and what they do to everybody else. */
import { describe, expect, test } from "bun:test";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { type ConfiguredServer, startConfigured, tokenCommand } from "../support/configured";
import { needs } from "../support/needs";
import { eventually, ROOT } from "../support/server";

const CONFIGURED = ["first-first-first-first", "other-other-other-other"] as const;
const limited = (burst: number, more = ""): Promise<ConfiguredServer> =>
  startConfigured(`api: { rate_limit: { requests_per_second: 1, burst: ${burst} } }\n${more}`);
const WITH_TOKENS = `security: { api_tokens: [${CONFIGURED.join(", ")}] }\n`;
const made = async ({ folder }: ConfiguredServer, name: string, scope = "control"): Promise<string> =>
  (await tokenCommand(folder, "create", `--name=${name}`, `--scope=${scope}`)).out;

interface Told {
  status: number;
  code: string | undefined;
  headers: Record<string, string | string[] | undefined>;
}

interface Asked {
  from?: string;
  token?: string;
  headers?: Record<string, string>;
  method?: string;
}

/** From an address of this machine: each of 127.0.0.0/8 is another client, where loopback is counted. */
function ask(
  { rest }: ConfiguredServer,
  path: string,
  { from = "127.0.0.1", token, headers = {}, method = "GET" }: Asked = {},
): Promise<Told> {
  const { promise, resolve, reject } = Promise.withResolvers<Told>();
  const asked = httpRequest(
    rest + path,
    {
      method,
      localAddress: from,
      agent: false,
      headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    },
    (answer) => {
      let text = "";
      answer.on("data", (piece) => {
        text += piece;
      });
      answer.on("end", () => {
        const code = /"code":"(\w+)"/.exec(text)?.[1];
        resolve({ status: answer.statusCode ?? 0, code, headers: answer.headers });
      });
    },
  );
  asked.on("error", reject);
  asked.end();
  return promise;
}

/** Until it is refused. */
async function exhaust(server: ConfiguredServer, path: string, how: Asked, most = 200): Promise<number> {
  for (let i = 0; i < most; i++) if ((await ask(server, path, how)).status === 429) return i;
  return most;
}

const auditOf = async (server: ConfiguredServer): Promise<Record<string, unknown>[]> =>
  (await server.log())
    .split("\n")
    .filter((line) => line.includes('"component":"audit"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("who is measured by what", () => {
  test("forged addresses of a proxy that nobody named are not believed", async () => {
    await using server = await limited(10);
    const forged = (i: number): Record<string, string> => ({
      "x-forwarded-for": `203.0.113.${i}`,
      forwarded: `for=203.0.113.${i}`,
      "x-real-ip": `203.0.113.${i}`,
      "cf-connecting-ip": `203.0.113.${i}`,
    });
    let refused = 0;
    for (let i = 0; i < 60; i++)
      if ((await ask(server, "/status", { headers: forged(i) })).status === 429) refused++;
    expect(refused).toBeGreaterThan(20);
    expect((await ask(server, "/status", { from: "127.0.0.2" })).status).toBe(200);
  });

  test("one token has one measure, from however many addresses", async () => {
    await using server = await limited(10, WITH_TOKENS);
    const statuses: number[] = [];
    for (let i = 1; i <= 60; i++)
      statuses.push((await ask(server, "/status", { from: `127.0.1.${i}`, token: CONFIGURED[0] })).status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(20);
    expect((await ask(server, "/status", { from: "127.0.1.1", token: CONFIGURED[1] })).status).toBe(200);
  });

  test("neither a token nor who has none uses up another's measure at the same address", async () => {
    await using server = await limited(10, WITH_TOKENS);
    const [greedy, modest] = CONFIGURED.map((token) => ({ token }));
    expect(await exhaust(server, "/status", greedy as Asked)).toBeLessThan(60);
    expect(await exhaust(server, "/health", {})).toBeLessThan(60);
    const { status, headers } = await ask(server, "/status", modest as Asked);
    expect([status, headers.ratelimit]).toEqual([200, '"default";r=9;t=1']);
    // The one who is refused learns when to come back, and that is true.
    const refused = await eventually(
      () => ask(server, "/status", greedy as Asked),
      (told) => told.status === 429,
    );
    expect(refused).toMatchObject({ code: "rate_limited", headers: { "retry-after": "1" } });
    expect(refused.headers.ratelimit).toMatch(/^"default";r=0;t=(9|10)$/);
    await Bun.sleep(Number(refused.headers["retry-after"]) * 1000);
    expect((await ask(server, "/status", greedy as Asked)).status).toBe(200);
  });

  test("WebSockets, event streams and answers given again are counted like everything else", async () => {
    await using server = await limited(10, WITH_TOKENS);
    const token = CONFIGURED[0];
    const upgrade = {
      token,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    };
    const replay = { token, method: "POST", headers: { "idempotency-key": "again" } };
    expect((await ask(server, "/stop-ring", replay)).status).toBe(200);
    expect((await ask(server, "/stop-ring", replay)).headers["idempotency-replayed"]).toBe("true");
    expect(await exhaust(server, "/stop-ring", replay)).toBeLessThan(60);
    for (const [path, how] of [
      ["/ws", upgrade],
      ["/audio", upgrade],
      ["/events/stream", { token }],
      ["/stop-ring", replay],
    ] as const) {
      // A second may have gone by: then one is admitted.
      const told = await eventually(
        () => ask(server, `${path}?x=1`, how),
        ({ status }) => status === 429,
      );
      expect([path, told.code]).toEqual([path, "rate_limited"]);
    }
  });
});

describe("who guesses tokens", () => {
  const WRONG = { token: "wrong-wrong-wrong-wrong" };

  test("or shows an old one all day holds up none that we made, at the same address and at its first sight", async () => {
    await using server = await startConfigured(WITH_TOKENS);
    const token = await made(server, "tablet");
    await eventually(
      () => ask(server, "/status", WRONG),
      ({ code }) => code === "too_many_attempts",
    );
    expect((await ask(server, "/status", { token })).status).toBe(200);
    // Of the configuration it may be a word that can be guessed: there right and wrong sound alike.
    const [held, wrong] = [
      await ask(server, "/status", { token: CONFIGURED[0] }),
      await ask(server, "/status", WRONG),
    ];
    expect([held.status, held.code, wrong.code]).toEqual([429, "too_many_attempts", "too_many_attempts"]);
    expect(Number(held.headers["retry-after"])).toBeWithin(1, 8);
    expect((await ask(server, "/status", { token: CONFIGURED[0], from: "127.0.0.9" })).status).toBe(200);
  });

  test("cannot push out of the log what was done: a few are told, the others counted", async () => {
    await using server = await startConfigured(WITH_TOKENS);
    const act = { method: "POST", token: CONFIGURED[1] };
    expect((await ask(server, "/stop-ring", act)).status).toBe(200);
    const FLOOD = 400;
    for (let i = 0; i < FLOOD / 4; i++) {
      await Promise.all(
        [WRONG, {}, { headers: { host: "evil.example" } }, { headers: { origin: "http://evil.example" } }].map(
          (how) => ask(server, "/ring", { method: "POST", ...how }),
        ),
      );
    }
    expect((await ask(server, "/stop-ring", act)).status).toBe(200);
    const audit = await eventually(
      () => auditOf(server),
      (lines) => lines.filter(({ message }) => message === "done").length === 2,
    );
    const refused = audit.filter(({ message }) => message === "refused");
    const counted = audit
      .filter(({ message }) => String(message).startsWith("more was refused"))
      .reduce((sum, { count }) => sum + Number(count), 0);
    expect(audit.length).toBeLessThan(100);
    expect(refused.length + counted).toBe(FLOOD);
  });

  test("from many addresses neither", async () => {
    await using server = await startConfigured(WITH_TOKENS);
    for (let i = 0; i < 100; i++) {
      await Promise.all(
        [1, 2, 3, 4, 5].map((k) =>
          ask(server, "/ring", { ...WRONG, method: "POST", from: `127.0.${k}.${i + 1}` }),
        ),
      );
    }
    await ask(server, "/stop-ring", { method: "POST", token: CONFIGURED[1] });
    const audit = await eventually(
      () => auditOf(server),
      (lines) => lines.some(({ message }) => message === "done"),
    );
    expect(audit.length).toBeLessThan(150);
  });
});

describe("who holds on", () => {
  test("one token's connections are its own, from however many addresses, and nobody else's", async () => {
    await using server = await startConfigured(`api: { max_connections_per_address: 3 }\n${WITH_TOKENS}`);
    const held = await Promise.all(
      [1, 2, 3].map(() => fetch(`${server.rest}/events/stream?token=${CONFIGURED[0]}`)),
    );
    expect(held.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await ask(server, "/events/stream", { token: CONFIGURED[0], from: "127.0.0.9" })).toMatchObject({
      status: 429,
      code: "too_many_clients",
    });
    const other = await fetch(`${server.rest}/events/stream?token=${CONFIGURED[1]}`);
    expect(other.status).toBe(200);
    for (const { body } of [...held, other]) await body?.cancel();
  });

  test("large bodies that never end keep nobody's small one out", async () => {
    await using server = await startConfigured("");
    const { hostname, port } = new URL(server.rest);
    const before = await server.residentMb();
    const length = 4 * 1024 * 1024 - 1;
    const most = new Uint8Array(length - 1);
    /** What is still to be sent of those that were not refused. */
    const waiting = new Map<number, number>();
    const HELD = 8;
    const sockets = await Promise.all(
      Array.from({ length: HELD + 4 }, async (_, i) => {
        let left: Uint8Array = most;
        const socket = await Bun.connect({
          hostname,
          port: Number(port),
          socket: {
            data: (_, bytes) => {
              if (bytes.toString().includes("too_many_uploads")) waiting.delete(i);
            },
            drain: (sender) => {
              left = left.subarray(Math.max(0, sender.write(left)));
              if (waiting.has(i)) waiting.set(i, left.length);
            },
          },
        });
        socket.write(
          `POST /ring HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k${i}\r\nContent-Length: ${length}\r\n\r\n`,
        );
        left = left.subarray(Math.max(0, socket.write(left)));
        waiting.set(i, left.length);
        return socket;
      }),
    );
    await eventually(
      () => [...waiting.values()],
      (left) => left.length === HELD && left.every((bytes) => bytes === 0),
    );
    const small = `{}${" ".repeat(20_000)}`;
    for (let i = 0; i < 20; i++) {
      const answer = await fetch(`${server.rest}/stop-ring`, { method: "POST", body: small });
      expect([answer.status, await answer.json()]).toEqual([200, expect.anything()]);
    }
    expect((await server.residentMb()) - before).toBeLessThan(150);
    for (const socket of sockets) socket.terminate();
  });
});

const IN_A_NETWORK =
  "ip link set lo up && ip -6 route add local 2001:db8::/32 dev lo && echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind";
const networkTest = needs(
  Bun.spawnSync(["unshare", "-n", "sh", "-c", IN_A_NETWORK]).exitCode === 0,
  "an IPv6 network of one's own needs root, unshare and ip",
);

describe("who has an IPv6 network", () => {
  networkTest("has one measure, not one for each of its addresses; another network has its own", async () => {
    const [rotating, networks] = ["2001:db8:1:2::{i}", "2001:db8:2:{i}::1"];
    const child = Bun.spawn(
      [
        ...["unshare", "-n", "sh", "-c", `${IN_A_NETWORK} && exec "$@"`, "sh"],
        ...[process.execPath, join(ROOT, "test/support/ipv6_network.ts"), "10", rotating, networks],
      ],
      { stdout: "pipe", stderr: "inherit" },
    );
    const admitted = JSON.parse(await new Response(child.stdout).text()) as Record<string, number>;
    expect(admitted[rotating]).toBeLessThan(40);
    expect(admitted[networks]).toBe(60);
  });
});
