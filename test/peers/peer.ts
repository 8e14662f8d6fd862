/** Programs that are not ours, from Debian: built once from the sources beside this file, fed with our samples. */
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BUILT = join(import.meta.dir, "../../build/peers");

/** libtonezone's header wants the driver's, which its package does not bring; these two of it are all it needs. */
const DRIVER_HEADER = "#define DAHDI_MAX_CADENCE 16\n#define DAHDI_TONE_MAX 16\n";

/** null: what it needs is not installed. */
export function peerProgram(name: string, library: string, header: string): string | null {
  if (!existsSync(header) || !Bun.which("cc")) return null;
  const source = join(import.meta.dir, `${name}.c`);
  const program = join(BUILT, name);
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program;
  mkdirSync(join(BUILT, "dahdi"), { recursive: true });
  writeFileSync(join(BUILT, "dahdi/user.h"), DRIVER_HEADER);
  const flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", `-I${BUILT}`];
  // Another guest's tests may build it at the same time.
  const ours = `${program}-${process.pid}`;
  const compiled = Bun.spawnSync(["cc", ...flags, source, `-l${library}`, "-o", ours]);
  if (!compiled.success) throw new Error(compiled.stderr.toString());
  renameSync(ours, program);
  return program;
}

/** What it says on standard output, fed with these bytes. */
export async function told(command: string[], input: Uint8Array = new Uint8Array()): Promise<string> {
  const child = Bun.spawn(command, { stdin: input, stdout: "pipe", stderr: "ignore" });
  return new Response(child.stdout).text();
}

export const bytesOf = (samples: Int16Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
