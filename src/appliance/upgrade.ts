/** Changes the installed program for another one, and back when the service does not come up on it. */
import { resolve } from "node:path";
import { ApplianceError } from "./appliance_error";
import { Files, sameBytes } from "./files";
import type { Host } from "./host";
import { removeLeftovers } from "./install";
import { BINARY, PREVIOUS, UNFINISHED } from "./layout";
import { oneAtATime } from "./one_at_a_time";
import { must, requireMachine } from "./service";
import { trial } from "./trial";

export async function upgrade(host: Host, named: string | null): Promise<void> {
  requireMachine(host, "upgrade");
  const files = new Files(host.root);
  const file = named === null ? host.executable : resolve(named);
  if (!files.exists(BINARY)) throw new ApplianceError(`${BINARY} is not there: sudo ./dahdi-phone-api install`);
  if (file === null || file === files.at(BINARY))
    throw new ApplianceError("name the new file: dahdi-phone-api upgrade FILE");
  await oneAtATime(host, () => upgradeAlone(host, file));
}

async function upgradeAlone(host: Host, file: string): Promise<void> {
  const files = new Files(host.root);
  const installed = files.at(BINARY);
  removeLeftovers(files);
  if (await sameBytes(file, installed)) {
    // One that was broken off behind the program itself is finished.
    const again = files.exists(UNFINISHED) && files.isFile(PREVIOUS);
    const { code, output } = await host.run([installed, "install"]);
    host.say(output.trimEnd());
    if (code === 0) return;
    if (!again) throw new ApplianceError("this version is installed already, and does not come up");
    return await backFrom(host, "the new version");
  }
  const version = await trial(host, file);
  host.say(`✓ ${file}  is version ${version}, and starts`);
  const { output } = await host.run([installed, "--version"]);
  if (isOlder(version, output.trim())) host.say(`! it is older than the installed ${output.trim()}`);
  // What is kept for a rollback now: it is kept on, where this one is not to stay.
  files.setAside(PREVIOUS);
  // It brings its own unit and rules: so it is the new one that installs itself.
  const done = await host.run([file, "install"]);
  host.say(done.output.trimEnd());
  if (done.code === 0) return files.forgetAside(PREVIOUS);
  if (await sameBytes(file, installed)) return await backFrom(host, `version ${version}`);
  files.comeBack(PREVIOUS);
  throw new ApplianceError(`version ${version} did not install; the program is the one before`);
}

/** From one whose service does not come up: nothing is kept of it. */
async function backFrom(host: Host, what: string): Promise<never> {
  const files = new Files(host.root);
  if (!files.isFile(PREVIOUS)) throw new ApplianceError(`${what} did not come up, and none before it was kept`);
  host.say("✗ service  does not come up: back to the version before");
  files.move(PREVIOUS, BINARY);
  files.comeBack(PREVIOUS);
  const { code, output } = await host.run([files.at(BINARY), "install"]);
  host.say(output.trimEnd());
  const now = code === 0 ? "runs again" : "is in its place again, and does not come up either";
  throw new ApplianceError(`${what} did not come up, the one before ${now}`);
}

export async function rollBack(host: Host): Promise<void> {
  requireMachine(host, "upgrade --rollback");
  await oneAtATime(host, () => rollBackAlone(host));
}

async function rollBackAlone(host: Host): Promise<void> {
  const files = new Files(host.root);
  // A rollback that was broken off has changed the program already, and is finished.
  if (!files.finishExchange(BINARY, PREVIOUS)) {
    removeLeftovers(files);
    if (!files.exists(PREVIOUS) || !files.exists(BINARY))
      throw new ApplianceError(`there is nothing to go back to: ${PREVIOUS} is not there`);
    host.say(`✓ ${PREVIOUS}  is version ${await trial(host, files.at(PREVIOUS))}, and starts`);
    files.exchange(BINARY, PREVIOUS);
  }
  host.say(`✓ ${BINARY}  is the one before again; upgrade --rollback changes them back`);
  const done = await host.run([files.at(BINARY), "install"]);
  host.say(done.output.trimEnd());
  if (done.code === 0) return files.forgetAside(BINARY);
  // The one that ran until now: it needs no trial.
  files.exchange(BINARY, PREVIOUS);
  host.say((await must(host, files.at(BINARY), "install")).trimEnd());
  files.forgetAside(BINARY);
  throw new ApplianceError("the version before did not come up, the one that was installed runs again");
}

/** By their numbers; what is none is not older. */
function isOlder(version: string, than: string): boolean {
  const numbers = (text: string): number[] => (/^\d+\.\d+\.\d+/.exec(text)?.[0] ?? "").split(".").map(Number);
  const [mine, theirs] = [numbers(version), numbers(than)];
  const at = mine.findIndex((number, i) => number !== theirs[i]);
  return at >= 0 && (mine[at] ?? 0) < (theirs[at] ?? 0);
}
