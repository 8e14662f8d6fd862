import { describe } from "bun:test";

/** A suite that needs these programs; where one is missing it says so. */
export function describeWith(programs: readonly string[], name: string, suite: () => void): void {
  const missing = programs.filter((program) => Bun.which(program) === null);
  if (missing.length === 0) describe(name, suite);
  else describe.skip(`${name}: SKIP sudo apt-get install sox flac vorbis-tools opus-tools lame`, suite);
}
