/** The executables themselves, on both architectures, in the places where people will put them. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventListener, get, post, postBytes, simulatedTelephone } from "../support/client";
import { needs } from "../support/needs";
import { eventually, ROOT, startServer } from "../support/server";
import { sine } from "../support/stepped";

const folder = mkdtempSync(join(tmpdir(), "dahdi-e2e-"));
afterAll(() => rmSync(folder, { recursive: true }));

const X64 = [join(ROOT, "dist/dahdi-phone-api-linux-x64")];
const QEMU = "/usr/bin/qemu-aarch64-static";
const ARM64 = [
  QEMU,
  "-L",
  "/usr/aarch64-linux-gnu",
  "-cpu",
  "cortex-a72",
  join(ROOT, "dist/dahdi-phone-api-linux-arm64"),
];

function run(command: string[], environment: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", ...environment },
    timeout: 60_000,
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** The whole way once: a key pressed on a telephone reaches a client, a tone reaches the ear. */
async function smoke(command: string[], cwd = "/"): Promise<void> {
  await using server = await startServer({ command, cwd, arguments: ["--simulate=2"] });
  const phone = simulatedTelephone(server, 2);
  using events = await EventListener.open(`${server.websocket}?line=2`);
  await phone.lift();
  expect(await events.event("off_hook")).toMatchObject({ line: 2 });
  await phone.press("7");
  expect(await events.event("dtmf")).toMatchObject({ digit: "7" });
  const tone = new Uint8Array(sine(440, 400).buffer as ArrayBuffer);
  expect((await postBytes(`${server.rest}/lines/2/play-audio?wait=true`, tone)).body.reason).toBe("completed");
  expect(Math.max(...(await phone.ear(30)))).toBeGreaterThan(7000);
  await phone.hangUp();
  await events.event("on_hook");
  expect((await get(`${server.rest}/status`)).status).toBe(200);
  expect((await fetch(`${server.rest}/docs`)).status).toBe(200);
  expect((await fetch(`${server.rest}/docs/swagger-ui-bundle.js`)).headers.get("content-type")).toContain(
    "javascript",
  );
}

describe("the x64 executable", () => {
  test("serves from any folder", () => smoke(X64, folder));

  test("--help and --version", () => {
    const help = run([...X64, "--help"]);
    expect(help).toMatchObject({ exitCode: 0, stderr: "" });
    expect(help.stdout).toContain("--simulate[=PORTS]");
    expect(run([...X64, "--version"])).toEqual({ exitCode: 0, stdout: "0.1.0\n", stderr: "" });
  });

  test("a word it does not know is one line and exit code 64", () => {
    const { exitCode, stderr } = run([...X64, "--bogus"]);
    expect(exitCode).toBe(64);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain("--bogus");
  });

  test("a bad configuration is one line with file, line and key, and exit code 78", () => {
    const path = join(folder, "bad.yml");
    writeFileSync(path, "server:\n  rest_prot: 8000\n");
    const { exitCode, stderr } = run([...X64, "--config", path]);
    expect(exitCode).toBe(78);
    expect(stderr.trim()).toBe(
      `dahdi-phone-api: ${path}:2: server.rest_prot: is not known here (known: host, rest_port, websocket_port, allowed_hosts, tls)`,
    );
  });

  test("a port in use is one line and exit code 1", () => {
    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const { exitCode, stderr } = run([...X64, "--simulate", `--rest-port=${other.port}`]);
    other.stop();
    expect(exitCode).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain(`port ${other.port} is in use`);
  });

  test("a port of another instance is in use as well", async () => {
    await using server = await startServer({ command: X64 });
    const { port } = new URL(server.rest);
    const { exitCode, stderr } = run([...X64, "--simulate", `--rest-port=${port}`, "--websocket-port=0"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`port ${port} is in use`)]);
  });

  test("without a card it stays up and says what is wrong and how to mend it", async () => {
    await using server = await startServer({ command: X64, arguments: [] });
    const { status, body } = await eventually(
      () => get(`${server.rest}/ready`),
      ({ body }) => JSON.stringify(body).includes("problem"),
    );
    expect(status).toBe(503);
    const [line] = body.lines as { problem: { code: string; fix: string } }[];
    expect(line?.problem.code).toBe("driver_missing");
    expect(line?.problem.fix).toContain("modprobe");
    await eventually(server.log, (log) => log.includes("driver_missing"));
    expect((await get(`${server.rest}/status`)).body.state).toBe("ERROR");
    expect((await get(`${server.rest}/health`)).status).toBe(200);
    expect((await get(`${server.rest}/simulator/lines/1`)).status).toBe(404);
  });

  test("the environment of a developer does not reach it", async () => {
    await using server = await startServer({
      command: X64,
      arguments: ["--simulate=1"],
      environment: { LOG_LEVEL: "error" },
    });
    expect((await get(`${server.rest}/config`)).body).toMatchObject({ logging: { level: "error" } });
    expect(await server.log()).toBe("");
  });
});

describe("the doctor", () => {
  interface Report {
    summary: { errors: number };
    findings: { id: string; status: string; title: string; fix: string | null }[];
  }
  const doctor = (...words: string[]) => {
    const { exitCode, stdout, stderr } = run([...X64, "doctor", "--json", ...words]);
    expect(stderr).toBe("");
    const { findings, summary } = JSON.parse(stdout) as Report;
    return { exitCode, summary, finding: (id: string) => findings.find((one) => one.id === id) };
  };
  const FREE_PORTS = ["--rest-port=0", "--websocket-port=0"];

  needs(!existsSync("/sys/module/dahdi"), "this machine has the DAHDI driver: the rig shows the rest")(
    "without the driver: an error with the command that mends it, and exit code 1",
    () => {
      const { exitCode, finding } = doctor(...FREE_PORTS);
      expect(exitCode).toBe(1);
      expect(finding("driver")).toMatchObject({ status: "error" });
      expect(finding("driver")?.fix).toContain("modprobe");
      expect(finding("permission")).toMatchObject({ status: "skipped" });
      expect(doctor("--self-test=1", ...FREE_PORTS).finding("self_test_line")).toMatchObject({ status: "error" });
    },
  );

  test("a simulated line passes its self-test: text for people, exit code 0", () => {
    const { exitCode, stdout } = run([...X64, "doctor", "--simulate", "--self-test=1", "--ring", ...FREE_PORTS]);
    expect(stdout).toContain("✓ self test audio");
    expect(stdout).toContain("0 errors");
    expect(stdout).not.toContain("\x1b");
    expect(exitCode).toBe(0);
  });

  test("a bad configuration is a finding, not the end", () => {
    const path = join(folder, "doctor.yml");
    writeFileSync(path, "server:\n  rest_prot: 8000\n");
    const { exitCode, finding } = doctor("--simulate", `--config=${path}`, ...FREE_PORTS);
    expect(exitCode).toBe(1);
    expect(finding("config")).toMatchObject({ status: "error", fix: `sudo editor +2 ${path}` });
    expect(finding("page_size")).toMatchObject({ status: "ok" });
  });

  test("a port in use: by whom; by our own service it is right", async () => {
    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const taken = doctor("--simulate", `--rest-port=${other.port}`, "--websocket-port=0").finding("port_rest");
    other.stop();
    expect(taken).toMatchObject({ status: "error" });
    expect(taken?.title).toContain(`pid ${process.pid}`);
    await using server = await startServer({ command: X64, arguments: ["--simulate=1"] });
    const port = new URL(server.rest).port;
    const ours = doctor("--simulate", `--rest-port=${port}`, "--websocket-port=0").finding("port_rest");
    expect(ours).toMatchObject({ status: "ok" });
    expect(ours?.title).toContain(`pid ${server.pid}`);
  });

  test("a line that there is not is a usage error", () => {
    expect(run([...X64, "doctor", "--simulate=2", "--self-test=3"])).toMatchObject({ exitCode: 64, stdout: "" });
  });
});

const root = process.getuid?.() === 0;
const canMount = root && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;

describe("hostile places", () => {
  needs(canMount, "mounting needs root: sudo make test")("a read-only disk and a /tmp without exec", async () => {
    // Both are proven before the executable starts: nothing can be written to /usr, nothing in /tmp can be run.
    const prepare = [
      "mount --make-rprivate /",
      `mount --bind ${join(ROOT, "dist")} /mnt`,
      "mount -t tmpfs -o noexec tmpfs /tmp",
      "mount -o remount,ro,bind /",
      "! touch /usr/probe 2>/dev/null",
      "cp /bin/true /tmp/probe",
      "! /tmp/probe 2>/dev/null",
      'exec /mnt/dahdi-phone-api-linux-x64 "$@"',
    ].join(" && ");
    await smoke(["unshare", "-m", "sh", "-c", prepare, "sh"], "/");
  });

  needs(canMount, "mounting needs root: sudo make test")(
    "a machine without the sources: its threads start",
    async () => {
      const prepare = `mount --make-rprivate / && mount -t tmpfs tmpfs ${join(ROOT, "src")} && exec "$@"`;
      const command = ["unshare", "-m", "sh", "-c", prepare, "sh", ...X64];
      await using server = await startServer({ command, arguments: ["--simulate=1"] });
      await eventually(
        () => get(`${server.rest}/diagnostics`),
        ({ body }) => (body.event_log as { storage: string }).storage === "disk",
      );
      await simulatedTelephone(server).lift();
      const { body } = await post(`${server.rest}/record`, { max_duration: 200 });
      const recording = `${server.rest}/recordings/${body.recording_id}`;
      await eventually(
        () => get(recording),
        ({ body }) => body.state === "finished",
      );
      const flac = await (await fetch(`${recording}/audio?format=flac`)).bytes();
      expect(new TextDecoder().decode(flac.subarray(0, 4))).toBe("fLaC");
    },
  );
});

const canEmulate = existsSync(QEMU) && existsSync("/usr/aarch64-linux-gnu/lib/libc.so.6");
describe("the arm64 executable, emulated as a Raspberry Pi 4's processor", () => {
  const emulated = needs(canEmulate, "sudo apt-get install qemu-user-static libc6-dev-arm64-cross");
  emulated("says its version", () => {
    expect(run([...ARM64, "--version"])).toMatchObject({ exitCode: 0, stdout: "0.1.0\n" });
  });
  emulated("the same way once", () => smoke(ARM64), 240_000);
});
