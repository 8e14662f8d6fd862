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
    host.say(`· ${BINARY}  unchanged`);
    return;
  }
  const version = await trial(host, file);
  host.say(`✓ ${file}  is version ${version}, and starts`);
  // It brings its own unit and rules: so it is the new one that installs itself.
  const done = await host.run([file, "install"]);
  host.say(done.output.trimEnd());
  if (done.code === 0) return;
  if (!(await sameBytes(file, installed)))
    throw new ApplianceError(`version ${version} did not install; nothing is changed`);
  host.say("✗ service  does not come up: back to the version before");
  await rollBack(host);
  throw new ApplianceError(`version ${version} did not come up, the one before runs again`);
}

export async function rollBack(host: Host): Promise<void> {
  requireMachine(host, "upgrade --rollback");
  const files = new Files(host.root);
  if (!files.exists(PREVIOUS) || !files.exists(BINARY))
    throw new ApplianceError(`there is nothing to go back to: ${PREVIOUS} is not there`);
  files.exchange(BINARY, PREVIOUS);
  host.say(`✓ ${BINARY}  is the one before again; upgrade --rollback changes them back`);
  host.say((await must(host, files.at(BINARY), "install")).trimEnd());
}
