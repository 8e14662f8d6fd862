/** What the tests of an upgrade share: files that could be the next version. */
import { install } from "../../../src/appliance/install";
import { AS_IS, Machine } from "./machine";

const REPORT = (status: string): string =>
  JSON.stringify({ findings: [{ id: "config", status, title: "config.yml:1: x: is not known here" }] });

/** A program that serves just enough to be tried: `health` answers with this status. */
export const serving = (health: number): string => `#!${process.execPath}
const server = Bun.serve({ port: 0, fetch: () => new Response("", { status: ${health} }) });
console.log(JSON.stringify({ rest_port: server.port }));
process.on("SIGTERM", () => process.exit(0));
`;

export async function installed(): Promise<Machine> {
  const machine = new Machine();
  await install(machine.host, AS_IS);
  return machine;
}

/** What the new file's own commands answer. */
export function answering(machine: Machine, file: string, config = "ok"): void {
  const name = file.slice(machine.root.length);
  machine.answers.set(`${name} --version`, { code: 0, output: "0.2.0\n" });
  machine.answers.set(`${name} doctor`, { code: 1, output: REPORT(config) });
}

/** The new one's `install` changes the files, as the real one does in a process of its own. */
export function installing(machine: Machine, file: string, code: number): void {
  const run = machine.host.run;
  machine.host.run = async (command) => {
    if (command[0] !== file || command[1] !== "install") return run(command);
    await install({ ...machine.host, executable: file, held: true, run }, AS_IS);
    return { code, output: "installed\n" };
  };
}
