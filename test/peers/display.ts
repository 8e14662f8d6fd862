/** Displays that are not ours: what they make of what a telephone's ear heard. */
import { needs } from "../support/needs";
import { bytesOf, peerProgram, told } from "./peer";

const spandsp = peerProgram("adsi_decode", "spandsp", "/usr/include/spandsp/adsi.h");
export const testSpandsp = needs(spandsp !== null, "apt-get install libspandsp-dev");
export const testMinimodem = needs(Bun.which("minimodem") !== null, "apt-get install minimodem");

/** Every message that spandsp takes for whole: see adsi_decode.c. */
export async function hears(standard: "class" | "clip" | "clip_dtmf", samples: Int16Array): Promise<string[]> {
  const output = await told([spandsp as string, standard], bytesOf(samples));
  return output.split("\n").filter((line) => line !== "");
}
