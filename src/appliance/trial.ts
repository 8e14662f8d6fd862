/** Does a file that wants to be the next version start here: before the running one is touched. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApplianceError } from "./appliance_error";
import type { Host } from "./host";
import { CONFIG_PATH } from "./layout";

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;

/** Its version. It serves simulated telephones for a moment, with no configuration: webhooks would be told of them. */
export async function trial(host: Host, file: string): Promise<string> {
  const asked = await host.run([file, "--version"]);
  const version = asked.output.trim();
  if (asked.code !== 0 || !/^\d+\.\d+\.\d+\S*$/.test(version))
    throw new ApplianceError(
      `${file} is no dahdi-phone-api for this machine: ${version.slice(0, 200) || `exit code ${asked.code}`}`,
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
  const child = Bun.spawn([file, ...words, "--rest-port=0", "--websocket-port=0", "--announce"], {
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", DAHDI_API_STATE_DIR: state },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), START_LIMIT_MS);
  const errors = new Response(child.stderr).text();
  const fail = async (what: string): Promise<never> => {
    child.kill("SIGKILL");
    throw new ApplianceError(`${file} ${what}: ${(await errors).trim().slice(-1000)}`);
  };
  try {
    const port = await announcedPort(child.stdout);
    if (port === null) return await fail("does not start");
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
    if (!answer?.ok) return await fail("starts, but does not answer");
    child.kill("SIGTERM");
    const code = await Promise.race([child.exited, Bun.sleep(STOP_LIMIT_MS)]);
    if (code !== 0) await fail("does not stop when it is told to");
  } finally {
    clearTimeout(limit);
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
