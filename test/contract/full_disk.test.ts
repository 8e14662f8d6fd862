/** A disk that is full, or read-only, in the middle of a change: it is said, and what was there stays. */
import { afterAll, expect } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, get, request } from "../support/client";
import { tokenCommand } from "../support/configured";
import { eventually, type RunningServer, serverCommand, startServer } from "../support/server";
import { mountable, mounted, type SmallDisk } from "../support/small_disk";

const root = mkdtempSync(join(tmpdir(), "dahdi-full-disk-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const folder = (): string => join(root, String(++folders));

interface House extends AsyncDisposable {
  server: RunningServer;
  config: string;
  state: string;
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
}

/** Its configuration, its state and its log are on that disk. */
async function house({ where }: SmallDisk, prepare: () => void = () => undefined): Promise<House> {
  const [config, state] = [join(where, "config.yml"), join(where, "state")];
  // Longer than what is left of a block.
  writeFileSync(config, `# ${"x".repeat(8000)}\nlogging: { output: ${where}/server.log, level: debug }\n`);
  const { out: token } = await tokenCommand(state, "create", "--name=boss", "--scope=admin");
  prepare();
  const server = await startServer({ arguments: ["--simulate=1", `--config=${config}`], stateDir: state });
  const headers = { authorization: `Bearer ${token}` };
  const ask = (method: string, path: string, body?: unknown) =>
    request(server.rest + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { server, config, state, ask, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function typed(...words: string[]): Promise<{ code: number; err: string }> {
  const child = Bun.spawn([...serverCommand(), ...words], {
    env: { PATH: process.env.PATH ?? "" },
    stdout: "ignore",
    stderr: "pipe",
  });
  const err = await new Response(child.stderr).text();
  return { code: await child.exited, err };
}

mountable(
  "that is full: configuration, tokens and backups stay as they were, and the reason is told",
  async () => {
    using disk = mounted(folder(), "size=700k");
    await using here = await house(disk);
    const { ask, config, state, server } = here;
    const kept = () => [readFileSync(config, "utf8"), readFileSync(join(state, "tokens.json"), "utf8")];
    const before = kept();
    disk.fill();
    const patched = await ask("PATCH", "/config", { tone_zone: "de" });
    expect([patched.status, patched.body.code, patched.body.detail]).toEqual([
      503,
      "config_not_writable",
      "config.yml cannot be written (ENOSPC): make room on its disk.",
    ]);
    for (const [method, path, body] of [
      ["POST", "/tokens", { name: "other", scope: "read" }],
      ["DELETE", "/tokens/boss", undefined],
    ] as const) {
      const { status, body: problem } = await ask(method, path, body);
      expect([status, problem.code]).toEqual([503, "tokens_unavailable"]);
      expect(problem.detail).toContain("make room");
    }
    const backup = join(disk.where, "house.tar.gz");
    const tried = await typed("backup", backup, `--config=${config}`);
    expect([tried.code, tried.err]).toEqual([1, expect.stringContaining("No space left on device")]);
    expect(kept()).toEqual(before);
    expect((await ask("GET", "/config")).body.tone_zone).toBe("us");
    const names = [...readdirSync(disk.where), ...readdirSync(state)];
    expect(names.filter((name) => /\.new$|\.lock$|house/.test(name))).toEqual([]);
    expect((await get(`${server.rest}/health`)).status).toBe(200);
    // Every line of its log is whole, also those around the moment when it was full.
    for (let i = 0; i < 50; i++) await ask("GET", "/lines");
    disk.makeRoom();
    expect((await ask("PATCH", "/config", { tone_zone: "de" })).status).toBe(200);
    expect((await ask("POST", "/tokens", { name: "other", scope: "read" })).status).toBe(200);
    expect((await typed("backup", backup, `--config=${config}`)).code).toBe(0);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    const logged = () => readFileSync(join(disk.where, "server.log"), "utf8");
    const log = await eventually(logged, (text) => text.includes("the log is written again"));
    for (const line of log.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("message");
  },
  60_000,
);

mountable(
  "that is read-only: the telephones work, and what cannot be kept is refused",
  async () => {
    using disk = mounted(folder(), "size=2m");
    const prepare = (): void => {
      writeFileSync(join(disk.where, "config.yml"), "tone_zone: us\n");
      disk.remount("ro");
    };
    await using here = await house(disk, prepare);
    const { ask } = here;
    expect((await ask("POST", "/ring", {})).status).toBe(200);
    expect((await ask("POST", "/stop-ring")).status).toBe(200);
    const answers = {
      config: await ask("PATCH", "/config", { tone_zone: "de" }),
      token: await ask("POST", "/tokens", { name: "other", scope: "read" }),
      revoked: await ask("DELETE", "/tokens/boss"),
    };
    for (const [what, { status }] of Object.entries(answers)) expect([what, status]).toEqual([what, 503]);
    expect(answers.config.body.detail).toContain("read-only");
    const ready = await ask("GET", "/ready");
    expect([ready.status, ready.body.event_log]).toEqual([200, expect.objectContaining({ storage: "memory" })]);
  },
  60_000,
);
