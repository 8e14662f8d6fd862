/** PATCH /config and SIGHUP: what acts at once, what waits, and what is refused. */
import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventListener, get, type Json, post, request, simulatedTelephone } from "../support/client";
import { eventually, type RunningServer, startServer } from "../support/server";

const root = mkdtempSync(join(tmpdir(), "dahdi-config-"));
afterAll(() => rmSync(root, { recursive: true }));
let files = 0;

const TYPED = `# our house
dahdi:
  max_ring_seconds: 60 # the neighbours
# dial_tone: { enabled: true }
`;

async function started(text = TYPED, environment: Record<string, string> = {}) {
  const path = join(root, `config-${++files}.yml`);
  writeFileSync(path, text);
  const server = await startServer({ arguments: ["--simulate=2", `--config=${path}`], environment });
  return { server, path, text: () => readFileSync(path, "utf8") };
}

const patch = (server: RunningServer, body: unknown) =>
  request(`${server.rest}/config`, {
    method: "PATCH",
    body: JSON.stringify(body),
    headers: { "content-type": "application/merge-patch+json" },
  });

describe("PATCH /config", () => {
  test("acts at once where it can, tells what waits, and keeps the comments", async () => {
    const { server, text } = await started();
    await using _ = server;
    const { status, body } = await patch(server, {
      dial_tone: { enabled: true },
      dahdi: { max_ring_seconds: 1 },
      logging: { levels: { rest: "debug" } },
      tone_zone: "de",
    });
    expect([status, body]).toEqual([
      200,
      {
        status: "success",
        changed: ["dahdi.max_ring_seconds", "tone_zone", "dial_tone.enabled", "logging.levels.rest"],
        applied: ["dahdi.max_ring_seconds", "dial_tone.enabled", "logging.levels.rest"],
        restart_required: ["tone_zone"],
        overridden: [],
      },
    ]);
    expect(text()).toContain("# our house");
    expect(text()).toContain("max_ring_seconds: 1 # the neighbours");
    expect((await get(`${server.rest}/config`)).body).toMatchObject({
      tone_zone: "us",
      dial_tone: { enabled: true },
      dahdi: { max_ring_seconds: 1 },
    });
    // It acts: the bell ends after a second, a lift hears dial tone, requests are logged.
    using events = await EventListener.open(`${server.websocket}?line=1`);
    await post(`${server.rest}/ring`, { pattern: "CONTINUOUS" });
    await events.event("ring_stop", { reason: "duration" });
    const phone = simulatedTelephone(server, 1);
    await phone.lift();
    await eventually(
      () => phone.ear(1),
      (ear) => ear.some((sample) => Math.abs(sample) > 500),
    );
    await eventually(server.log, (log) => log.includes('"answered"'));
  });

  test("what is wrong changes nothing, and names the key", async () => {
    const { server, path, text } = await started();
    await using _ = server;
    const before = text();
    for (const [body, field] of [
      [{ dahdi: { max_ring_seconds: 0 } }, "dahdi.max_ring_seconds"],
      [{ dial_tone: { enabled: true }, dahdi: { channel: 7, channels: [1, 2] } }, "dahdi.channel"],
      [{ nonsense: 1 }, "nonsense"],
      [{ dahdi: { device: 5 } }, "dahdi.device"],
      [{ server: [] }, "server"],
      [{ webhooks: [{ url: "https://example.org", secret: "***" }] }, "webhooks[0].secret"],
      [{ server: { host: "0.0.0.0" } }, "server.host"],
    ] as const) {
      const { status, body: told } = await patch(server, body);
      expect([status, told.code, (told.errors as Json[])[0]?.field]).toEqual([422, "invalid_input", field]);
      expect(JSON.stringify(told)).not.toContain(path); // where it lies is nobody's business
    }
    const all = await patch(server, {
      nonsense: 1,
      dahdi: { max_ring_seconds: 0 },
      logging: { output: "here", level: "loud" },
    });
    expect((all.body.errors as Json[]).map((error) => error.field).sort()).toEqual([
      "dahdi.max_ring_seconds",
      "logging.level",
      "logging.output",
      "nonsense",
    ]);
    // What would fail at the next start only.
    const later = await patch(server, {
      logging: { output: `${root}/none/server.log` },
      hotline: [{ line: 3, url: "ws://bot.local/" }],
      server: { tls: { certificate: "/dev/null", key: "/dev/null" } },
    });
    expect([later.status, (later.body.errors as Json[]).map((error) => error.field)]).toEqual([
      422,
      ["logging.output", "hotline[0].line", "server.tls.certificate"],
    ]);
    expect((await patch(server, [])).status).toBe(422);
    expect(text()).toBe(before);
    expect((await get(`${server.rest}/config`)).body.dial_tone).toMatchObject({ enabled: false });
    writeFileSync(path, "dahdi: [");
    expect(await patch(server, { dial_tone: { enabled: true } })).toMatchObject({
      status: 409,
      body: { code: "config_broken" },
    });
    expect(text()).toBe("dahdi: [");
  });

  test("what is deeper or larger than any configuration is refused before it keeps telephones waiting", async () => {
    const { server, text } = await started();
    await using _ = server;
    const depth = 3000;
    const deep = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 1])));
    for (const body of [deep, `{"dahdi":{"channels":${"[".repeat(depth)}${"]".repeat(depth)}}}`, wide]) {
      const answer = await request(`${server.rest}/config`, { method: "PATCH", body });
      expect([answer.status, (answer.body.errors as Json[])[0]?.field]).toEqual([422, "body"]);
    }
    const longer = JSON.stringify(Object.fromEntries(Array.from({ length: 80_000 }, (_, i) => [`k${i}`, 1])));
    const { status, body } = await request(`${server.rest}/config`, { method: "PATCH", body: longer });
    expect([status, body.code]).toEqual([413, "body_too_large"]);
    expect(text()).toBe(TYPED);
  });

  test("the environment outweighs the file, and that is told", async () => {
    const { server } = await started(TYPED, { LOG_LEVEL: "warning" });
    await using _ = server;
    const { body } = await patch(server, { logging: { level: "debug" } });
    expect(body).toMatchObject({ changed: [], applied: [], overridden: ["logging.level"] });
  });

  test("without a file there is nothing to change", async () => {
    await using server = await startServer({ arguments: ["--simulate=1"] });
    expect(await patch(server, { logging: { level: "debug" } })).toMatchObject({
      status: 409,
      body: { code: "no_config_file" },
    });
  });

  test("many at once: each is in the file afterwards", async () => {
    const { server, text } = await started("");
    await using _ = server;
    const keys = ["seconds", "reorder_seconds", "howler_seconds"];
    const answers = await Promise.all(
      keys.map((key, i) => patch(server, { off_hook_timeout: { [key]: 10 + i } })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(text()).toBe("off_hook_timeout:\n  seconds: 10\n  reorder_seconds: 11\n  howler_seconds: 12\n");
  });

  test("a file keeps its mode", async () => {
    const { server, path } = await started();
    await using _ = server;
    chmodSync(path, 0o600);
    expect((await patch(server, { logging: { level: "warning" } })).status).toBe(200);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

describe("SIGHUP", () => {
  test("reads the file again; one that is wrong is told and changes nothing", async () => {
    const { server, path } = await started();
    await using _ = server;
    const acting = async () => (await get(`${server.rest}/config`)).body.dial_tone;
    writeFileSync(path, "dial_tone: { enabled: true }\ntone_zone: de\n");
    process.kill(server.pid, "SIGHUP");
    await eventually(acting, (dialTone) => (dialTone as Json).enabled === true);
    await eventually(server.log, (log) => log.includes('"restart_required":"tone_zone"'));
    writeFileSync(path, "dial_tone: { enabled: perhaps }\n");
    process.kill(server.pid, "SIGHUP");
    await eventually(server.log, (log) => log.includes(`${path}:1: dial_tone.enabled: must be true or false`));
    expect(await acting()).toMatchObject({ enabled: true });
  });

  test("a file that is gone, or cannot be read, is told and changes nothing; nor is it patched", async () => {
    const { server, path } = await started("dial_tone: { enabled: true }\n");
    await using _ = server;
    const signalled = async (fault: string): Promise<void> => {
      process.kill(server.pid, "SIGHUP");
      await eventually(server.log, (log) => log.includes(`stays as it was","error":"${path}: ${fault}`));
      expect((await get(`${server.rest}/config`)).body.dial_tone).toMatchObject({ enabled: true });
      expect(await patch(server, { tone_zone: "de" })).toMatchObject({
        status: 409,
        body: { code: "config_broken" },
      });
    };
    rmSync(path);
    await signalled("cannot be read (ENOENT)");
    expect(existsSync(path)).toBe(false);
    mkdirSync(path);
    await signalled("cannot be read (EISDIR)");
  });

  test("begins the log anew where logrotate moved it away", async () => {
    const log = join(root, "server.log");
    const { server } = await started(`logging: { output: ${log} }\n`);
    await using _ = server;
    await eventually(
      () => readFileSync(log, "utf8"),
      (text) => text.includes('"serving"'),
    );
    renameSync(log, `${log}.1`);
    process.kill(server.pid, "SIGHUP");
    await eventually(
      () => (statSync(log, { throwIfNoEntry: false }) ? readFileSync(log, "utf8") : ""),
      (text) => text.includes('"reloaded"'),
    );
    expect(readFileSync(`${log}.1`, "utf8")).not.toContain('"reloaded"');
  });
});
