/** Does a file that wants to be the next version start here: before the running one is touched. */
import { mkdtempSync, rmSync, type Stats, statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { ApplianceError } from "./appliance_error";
import type { Host } from "./host";
import { CONFIG_PATH } from "./layout";

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;

/** Its version. It serves simulated telephones for a moment, with no configuration: webhooks would be told of them. */
export async function trial(host: Host, file: string): Promise<string> {
  const { size, mode } = requireFile(file);
  if (size === 0) throw new ApplianceError(`${file} is empty: copy it again`);
  if ((mode & 0o111) === 0) throw new ApplianceError(`${file} may not be run: chmod +x ${file}`);
  const asked = await host.run([file, "--version"]);
  const version = asked.output.trim();
  // Pages of it are missing.
  if (asked.code === 128 + constants.signals.SIGBUS)
    throw new ApplianceError(`${file} is cut short: copy it again`);
  if (asked.code !== 0 || !/^\d+\.\d+\.\d+\S*$/.test(version))
    throw new ApplianceError(
      `${file} is no dahdi-phone-api for this machine (${process.arch}): ${version.slice(0, 200) || `exit code ${asked.code}`}`,
    );
  await takesConfig(host, file);
  const state = mkdtempSync(join(tmpdir(), "dahdi-phone-api-trial-"));
  try {
    await serves(file, state);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
  return version;
}

function requireFile(path: string): Stats {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isFile()) return there;
  throw new ApplianceError(`${path} ${there ? "is no file" : "is not there"}`);
}

interface DoctorReport {
  findings: { id: string; status: string; title: string }[];
}

async function takesConfig(host: Host, file: string): Promise<void> {
  const asked = await host.run([file, "doctor", "--json", "--simulate=1"]);
  let report: DoctorReport;
  try {
    report = JSON.parse(asked.output);
  } catch {
    throw new ApplianceError(`${file} doctor ended with ${asked.code}: ${asked.output.trim().slice(-500)}`);
  }
  const wrong = report.findings.find(({ id, status }) => id === "config" && status === "error");
  if (wrong) throw new ApplianceError(`the new version does not take ${CONFIG_PATH}: ${wrong.title}`);
}

async function serves(file: string, state: string): Promise<void> {
  const words = ["serve", "--simulate=1", "--config=/dev/null", "--host=127.0.0.1"];
  // Also where this process is ended before it can end the other.
  const bounded = ["timeout", "--signal=KILL", String((START_LIMIT_MS + STOP_LIMIT_MS) / 1000)];
  const child = Bun.spawn([...bounded, file, ...words, "--rest-port=0", "--websocket-port=0", "--announce"], {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", DAHDI_API_STATE_DIR: state },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const kill = (pid: number): void => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended
    }
  };
  // timeout leads a group of its own, and cannot pass this signal on.
  const endGroup = (): void => kill(-child.pid);
  const end = (): void => {
    endGroup();
    kill(child.pid);
  };
  const limit = setTimeout(end, START_LIMIT_MS);
  const errors = new Response(child.stderr).text();
  const fail = async (what: string): Promise<never> => {
    end();
    throw new ApplianceError(`${file} ${what}: ${(await errors).trim().slice(-1000)}`);
  };
  try {
    const port = await announcedPort(child.stdout);
    if (port === null) return await fail("does not start");
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
    if (!answer?.ok) return await fail("starts, but does not answer");
    child.kill("SIGTERM");
    const code = await Promise.race([child.exited, Bun.sleep(STOP_LIMIT_MS)]);
    // timeout tells it twice, by its id and by its group: the second may find it on its way out.
    if (code !== 0 && code !== 128 + constants.signals.SIGTERM) await fail("does not stop when it is told to");
  } finally {
    clearTimeout(limit);
    endGroup(); // whatever it has left behind
  }
}

async function announcedPort(output: ReadableStream<Uint8Array>): Promise<number | null> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of output) {
    text += decoder.decode(bytes, { stream: true });
    const [, port] = /"rest_port":(\d+)/.exec(text) ?? [];
    if (port !== undefined && text.includes("\n")) return Number(port);
  }
  return null;
}
