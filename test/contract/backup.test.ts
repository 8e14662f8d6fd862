/** config check, backup and restore, as typed. */
import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventListener, get, type Json, post, simulatedTelephone } from "../support/client";
import { eventually, type RunningServer, serverCommand, startServer } from "../support/server";
import { toneSamples } from "../support/tones";

const root = mkdtempSync(join(tmpdir(), "dahdi-backup-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;

interface House {
  config: string;
  state: string;
}
function house(text = ""): House {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  const config = join(folder, "config.yml");
  const state = join(folder, "state");
  writeFileSync(config, `state_dir: ${state}\n${text}`);
  return { config, state };
}

const start = ({ config, state }: House): Promise<RunningServer> =>
  startServer({ arguments: ["--simulate=1", `--config=${config}`], stateDir: state });

async function typed(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([...serverCommand(), ...words], {
    env: { PATH: process.env.PATH ?? "" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

/** A life worth keeping: events, a prompt, a token, a recording. */
async function live(server: RunningServer): Promise<void> {
  const phone = simulatedTelephone(server, 1);
  using events = await EventListener.open(server.websocket);
  await phone.lift();
  await phone.press("42");
  await events.event("dtmf", { digit: "2" });
  await post(`${server.rest}/record`, {});
  await events.event("recording_started");
  await phone.speak(toneSamples("1", { on_ms: 300 }));
  await post(`${server.rest}/record/stop`);
  await fetch(`${server.rest}/prompts/hello`, { method: "PUT", body: toneSamples("5", { on_ms: 200 }) });
  await phone.hangUp();
  await events.event("on_hook");
  await eventually(
    async () => (await get(`${server.rest}/ready`)).body.event_log as { waiting_events: number },
    ({ waiting_events }) => waiting_events === 0,
  );
}

const keys = async (server: RunningServer): Promise<unknown[]> =>
  ((await get(`${server.rest}/events?types=dtmf&limit=1000`)).body.events as Json[]).map(({ id, digit }) => [
    id,
    digit,
  ]);

describe("backup and restore", () => {
  test("of a server that runs, onto another machine: configuration, events and prompts are there", async () => {
    const here = house("tone_zone: de # as in Berlin\n");
    await using server = await start(here);
    await live(server);
    const file = join(root, "house.tar.gz");
    expect(await typed("backup", file, `--config=${here.config}`)).toMatchObject({ code: 0, err: "" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = await keys(server);
    expect(before).toHaveLength(3);
    await post(`${server.rest}/ring`, { pattern: "SINGLE" }); // it goes on as if nothing had been
    expect((await get(`${server.rest}/ready`)).body.event_log).toMatchObject({ storage: "disk" });

    // Another machine: nothing is there yet, and the file says where it belongs.
    await server.stop();
    rmSync(here.state, { recursive: true });
    const restored = await typed("restore", file, `--config=${here.config}`);
    expect([restored.code, restored.err]).toEqual([0, ""]);
    expect(readFileSync(here.config, "utf8")).toContain("# as in Berlin");
    await using again = await start(here);
    expect(await keys(again)).toEqual(before);
    expect((await get(`${again.rest}/prompts`)).body).toMatchObject({ prompts: [{ name: "hello" }] });
    expect((await get(`${again.rest}/recordings`)).body).toMatchObject({ recordings: [] });
  });

  test("onto a machine that kept its state elsewhere: it goes where the restored configuration looks for it", async () => {
    // Open to the network, which it may be for the tokens that come with it.
    const here = house("server: { host: 0.0.0.0 }\n");
    const file = join(root, "moved.tar.gz");
    const created = await typed("token", "create", "--name=me", "--scope=admin", `--config=${here.config}`);
    expect(created.code).toBe(0);
    {
      await using server = await start(here);
      const authorization = { authorization: `Bearer ${created.out.trim()}` };
      await fetch(`${server.rest}/status`, { headers: authorization });
    }
    await typed("backup", file, `--config=${here.config}`);
    rmSync(here.state, { recursive: true });
    const there = house();
    const { code, out } = await typed("restore", file, `--config=${there.config}`);
    expect([code, out.includes(`, ${here.state}\n`)]).toEqual([0, true]);
    expect(readFileSync(there.config, "utf8")).toContain(here.state);
    expect((await typed("token", "list", `--config=${there.config}`)).out).toStartWith("me\t");
    expect(statSync(join(here.state, "events.db")).mode & 0o777).toBe(0o600);
    expect(existsSync(there.state)).toBe(false);
  });

  test("with recordings; those that came since stay, and what was there is kept beside it", async () => {
    const here = house();
    const file = join(root, "whole.tar.gz");
    {
      await using server = await start(here);
      await live(server);
      const { code, out } = await typed("backup", file, `--config=${here.config}`, "--with-recordings");
      expect([code, out.includes("recordings")]).toEqual([0, true]);
    }
    rmSync(join(here.state, "recordings"), { recursive: true });
    expect((await typed("restore", file, `--config=${here.config}`)).code).toBe(0);
    expect(existsSync(`${here.state}.before-restore`)).toBe(true);
    await using again = await start(here);
    expect(((await get(`${again.rest}/recordings`)).body.recordings as Json[]).length).toBe(1);
  });

  test("a server that runs is not written under", async () => {
    const here = house();
    await using server = await start(here);
    await live(server);
    const file = join(root, "running.tar.gz");
    await typed("backup", file, `--config=${here.config}`);
    const before = readdirSync(here.state).sort();
    const { code, err } = await typed("restore", file, `--config=${here.config}`);
    expect([code, err.includes("systemctl stop")]).toEqual([1, true]);
    expect(readdirSync(here.state).sort()).toEqual(before);
  });

  test("what is no backup, is damaged, or reaches out of its folder is refused and changes nothing", async () => {
    const here = house();
    {
      await using server = await start(here);
      await live(server);
    }
    const file = join(root, "good.tar.gz");
    await typed("backup", file, `--config=${here.config}`);
    const bad = join(root, "bad.tar.gz");
    const good = new Uint8Array(readFileSync(file));
    const evil = join(root, "evil");
    mkdirSync(evil);
    writeFileSync(join(evil, "manifest.json"), '{"format":1}');
    writeFileSync(join(evil, "passwd"), "root");
    const made = (...words: string[]) => {
      expect(Bun.spawnSync(["tar", "czf", bad, "-C", evil, ...words]).exitCode).toBe(0);
      return new Uint8Array(readFileSync(bad));
    };
    const before = readFileSync(here.config, "utf8");
    const secret = join(root, "secret");
    writeFileSync(secret, "not yours");
    mkdirSync(join(evil, "state"));
    symlinkSync(secret, join(evil, "state/tokens.json"));
    mkdirSync(join(evil, "other"));
    writeFileSync(join(evil, "other/manifest.json"), "{");
    mkdirSync(join(evil, "other/state"));
    for (const name of ["nothing", "pipe", "folder"]) mkdirSync(join(evil, name, "state"), { recursive: true });
    writeFileSync(join(evil, "nothing/manifest.json"), "null");
    writeFileSync(join(evil, "pipe/manifest.json"), '{"format":1}');
    expect(Bun.spawnSync(["mkfifo", join(evil, "pipe/state/tokens.json")]).exitCode).toBe(0);
    writeFileSync(join(evil, "folder/manifest.json"), '{"format":1}');
    mkdirSync(join(evil, "folder/config.yml"));
    for (const bytes of [
      made("manifest.json", "state"), // a link: to be given to the service's user, as what it leads to
      made("manifest.json"),
      made("-C", join(evil, "other"), "manifest.json", "state"),
      new Uint8Array([1, 2, 3]),
      good.subarray(0, good.length / 2),
      made("manifest.json", "passwd"),
      made("-C", join(evil, "nothing"), "manifest.json", "state"), // its manifest is null
      made("-C", join(evil, "pipe"), "manifest.json", "state"),
      made("-C", join(evil, "folder"), "manifest.json", "state", "config.yml"), // a folder
      made("-C", join(evil, "other"), "--transform=s,^manifest,/manifest,", "-P", "manifest.json", "state"),
      made("--transform=s,passwd,state/../../passwd,", "manifest.json", "passwd"),
    ]) {
      writeFileSync(bad, bytes);
      const { code, err } = await typed("restore", bad, `--config=${here.config}`);
      expect([code, err]).toEqual([1, `dahdi-phone-api: ${bad} is no backup of this program, or is damaged\n`]);
    }
    // Small as it comes, and larger than any disk once it is unpacked.
    writeFileSync(join(evil, "other/manifest.json"), '{"format":1}');
    writeFileSync(join(evil, "other/state/huge"), "");
    truncateSync(join(evil, "other/state/huge"), 2 ** 43);
    made("-C", join(evil, "other"), "--sparse", "manifest.json", "state");
    const { code, err } = await typed("restore", bad, `--config=${here.config}`);
    expect([code, err.includes("has no room")]).toEqual([1, true]);
    expect(readFileSync(here.config, "utf8")).toBe(before);
    expect(existsSync(`${here.state}.before-restore`)).toBe(false);
    expect((await typed("restore", join(root, "nowhere"), `--config=${here.config}`)).code).toBe(1);
  });

  test("a configuration that does not start is not put in place", async () => {
    const here = house();
    const file = join(root, "wrong.tar.gz");
    writeFileSync(here.config, `state_dir: ${here.state}\nnonsense: 1\n`);
    mkdirSync(here.state);
    await typed("backup", file, `--config=${here.config}`);
    writeFileSync(here.config, `state_dir: ${here.state}\n`);
    const { code, err } = await typed("restore", file, `--config=${here.config}`);
    expect([code, err.includes("config.yml:2: nonsense")]).toEqual([78, true]);
  });
});

test("with a wrong configuration the state folder that it names is kept all the same", async () => {
  const here = house("nonsense: 1\n");
  mkdirSync(here.state);
  writeFileSync(join(here.state, "messages.json"), "{}");
  const file = join(root, "all-the-same.tar.gz");
  expect(await typed("backup", file, `--config=${here.config}`)).toMatchObject({
    code: 0,
    out: expect.stringContaining("messages.json"),
  });
});

test("config check says file, line and key", async () => {
  const here = house("dahdi:\n  max_ring_seconds: never\n");
  const wrong = await typed("config", "check", `--config=${here.config}`);
  expect([wrong.code, wrong.err]).toEqual([
    78,
    `dahdi-phone-api: ${here.config}:3: dahdi.max_ring_seconds: must be a whole number from 1 to 3600\n`,
  ]);
  // All of it at once, also what only this machine can tell.
  writeFileSync(here.config, "nonsense: 1\ntone_zone: xx\nlogging: { output: there }\n");
  const all = await typed("config", "check", `--config=${here.config}`);
  expect(all.err.split("\n").map((line) => line.split(/ is | must /)[0])).toEqual([
    `dahdi-phone-api: ${here.config}:1: nonsense:`,
    `dahdi-phone-api: ${here.config}:2: tone_zone:`,
    `dahdi-phone-api: ${here.config}:3: logging.output:`,
    "",
  ]);
  writeFileSync(
    here.config,
    [
      `logging: { output: ${join(root, "none/server.log")} }`,
      "hotline: [{ line: 7, url: 'ws://bot.local/' }]",
      `server: { tls: { certificate: ${here.config}, key: /dev/null } }`,
    ].join("\n"),
  );
  const machines = await typed("config", "check", `--config=${here.config}`);
  expect([machines.code, machines.err]).toEqual([
    78,
    [
      `${here.config}:1: logging.output: cannot be written (ENOENT): make its folder, or choose another place`,
      `${here.config}:2: hotline[0].line: there is no line 7 (there are 1)`,
      `${here.config}:3: server.tls.certificate: ${here.config}: is no certificate in PEM`,
      "",
    ]
      .map((line) => line && `dahdi-phone-api: ${line}`)
      .join("\n"),
  ]);
  const started = await typed("serve", "--simulate=8", `--config=${here.config}`);
  expect([started.code, started.err.split("\n").length]).toEqual([1, 3]);
  writeFileSync(here.config, "tone_zone: de\n");
  expect(await typed("config", "check", `--config=${here.config}`)).toMatchObject({
    code: 0,
    out: `${here.config} is right\n`,
  });
  expect((await typed("config", "frobnicate")).code).toBe(64);
  expect((await typed("backup")).code).toBe(64);
  const nowhere = join(root, "none", "house.tar.gz");
  expect(await typed("backup", nowhere)).toMatchObject({
    code: 1,
    err: `dahdi-phone-api: there is no folder ${join(root, "none")}: make it, or name another\n`,
  });
  const { config, state } = house();
  const empty = await typed("backup", join(root, "empty.tar.gz"), `--config=${config}`);
  expect([empty.code, empty.err]).toEqual([
    1,
    `dahdi-phone-api: ${state} is not there, or not this user's to see: sudo, or --config=FILE of the server\n`,
  ]);
  expect(existsSync(join(root, "empty.tar.gz"))).toBe(false);
  // A rename would put a file in their place: root's /dev/null, say.
  const pipe = join(root, "pipe");
  Bun.spawnSync(["mkfifo", pipe]);
  expect(await typed("backup", pipe)).toMatchObject({ code: 1, err: `dahdi-phone-api: ${pipe} is no file\n` });
  expect(await typed("backup", root)).toMatchObject({
    code: 1,
    err: `dahdi-phone-api: ${root} is a folder: name a file in it\n`,
  });
  expect(lstatSync(pipe).isFIFO()).toBe(true);
  expect((await typed("restore", "--help")).out).toContain("Usage:");
});
