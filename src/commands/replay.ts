/** `dahdi-phone-api replay` */
import type { ReplayArguments } from "../command_line";
import { loadShim } from "../driver/library";
import { replayFile } from "../flight/replay_command";

/** Returns the exit code. */
export async function replay({ path, json }: ReplayArguments): Promise<number> {
  const { code, out, complaint } = await replayFile(path, json, await loadShim());
  process.stdout.write(out);
  if (complaint !== "") process.stderr.write(`dahdi-phone-api: ${complaint}\n`);
  return code;
}
