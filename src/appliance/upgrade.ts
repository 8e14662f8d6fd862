/** Changes the installed program for another one, and back when the service does not come up on it. */
import { resolve } from "node:path";
import { ApplianceError } from "./appliance_error";
import { Files, type Host, sameBytes } from "./host";
import { BINARY, PREVIOUS } from "./layout";
import { must, requireMachine } from "./service";
import { trial } from "./trial";

export async function upgrade(host: Host, named: string | null): Promise<void> {
  requireMachine(host, "upgrade");
  const files = new Files(host.root);
  const installed = files.at(BINARY);
  const file = named === null ? host.executable : resolve(named);
  if (!files.exists(BINARY)) throw new ApplianceError(`${BINARY} is not there: sudo ./dahdi-phone-api install`);
  if (file === null || file === installed)
    throw new ApplianceError("name the new file: dahdi-phone-api upgrade FILE");
  if (await sameBytes(file, installed)) {
    // One that was broken off behind the program itself is finished.
    host.say((await must(host, installed, "install")).trimEnd());
    return;
  }
  const version = await trial(host, file);
  host.say(`✓ ${file}  is version ${version}, and starts`);
  const { output } = await host.run([installed, "--version"]);
  if (isOlder(version, output.trim())) host.say(`! it is older than the installed ${output.trim()}`);
  // It brings its own unit and rules: so it is the new one that installs itself.
  const done = await host.run([file, "install"]);
  host.say(done.output.trimEnd());
  if (done.code === 0) return;
  if (!(await sameBytes(file, installed)))
    throw new ApplianceError(`version ${version} did not install; nothing is changed`);
  host.say("✗ service  does not come up: back to the version before");
  await backToPrevious(host);
  throw new ApplianceError(`version ${version} did not come up, the one before runs again`);
}

export async function rollBack(host: Host): Promise<void> {
  requireMachine(host, "upgrade --rollback");
  const files = new Files(host.root);
  // A rollback that was broken off has changed the program already, and is finished.
  if (!files.finishExchange(BINARY, PREVIOUS)) {
    if (!files.exists(PREVIOUS) || !files.exists(BINARY))
      throw new ApplianceError(`there is nothing to go back to: ${PREVIOUS} is not there`);
    host.say(`✓ ${PREVIOUS}  is version ${await trial(host, files.at(PREVIOUS))}, and starts`);
    files.exchange(BINARY, PREVIOUS);
  }
  host.say(`✓ ${BINARY}  is the one before again; upgrade --rollback changes them back`);
  const done = await host.run([files.at(BINARY), "install"]);
  host.say(done.output.trimEnd());
  if (done.code === 0) return;
  await backToPrevious(host);
  throw new ApplianceError("the version before did not come up, the one that was installed runs again");
}

/** The one that ran until now: it needs no trial. */
async function backToPrevious(host: Host): Promise<void> {
  const files = new Files(host.root);
  files.exchange(BINARY, PREVIOUS);
  host.say((await must(host, files.at(BINARY), "install")).trimEnd());
}

/** By their numbers; what is none is not older. */
function isOlder(version: string, than: string): boolean {
  const numbers = (text: string): number[] => (/^\d+\.\d+\.\d+/.exec(text)?.[0] ?? "").split(".").map(Number);
  const [mine, theirs] = [numbers(version), numbers(than)];
  const at = mine.findIndex((number, i) => number !== theirs[i]);
  return at >= 0 && (mine[at] ?? 0) < (theirs[at] ?? 0);
}
