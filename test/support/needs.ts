/** A test that needs something of the machine: skipped aloud, with the fix, where that is missing. */
import { test } from "bun:test";

export function needs(there: boolean, fix: string): (name: string, body: () => unknown, limitMs?: number) => void {
  return (name, body, limitMs) => {
    if (there) test(name, body as () => Promise<void>, limitMs);
    else test.skip(`${name}: SKIP ${fix}`, () => undefined);
  };
}
