/** What a start evaluates: each of these costs it milliseconds and megabytes, whether it is used or not. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dir, "../../..");
const transpiler = new Bun.Transpiler({ loader: "ts" });

const DEARER = [
  /^node:(crypto|net|tls|tty|http|https|zlib|stream|worker_threads|child_process)\b/,
  /^(@fastify\/busboy|fflate|yaml|prom-client|swagger-ui-dist)$/,
  /^src\/(appliance\/appliance\.ts|backup\/backup\.ts|doctor\/|flight\/(replay|read_recording)|network\/http_exchange)/,
  /^src\/(security\/(certificate|tls_identity)|streams\/bot_socket|http\/docs\/(openapi|asyncapi|operation))/,
  /^src\/audio\/decoders\/(mpg123|libopus|libflac|libvorbis)/,
];

/** Everything that the file imports without being asked, and what imports it; types count for nothing. */
function evaluated(entry: string): Map<string, string> {
  const found = new Map([[entry, ""]]);
  for (const [file] of found) {
    if (!file.startsWith("src/")) continue;
    for (const { path, kind } of transpiler.scanImports(readFileSync(join(ROOT, file), "utf8"))) {
      if (kind !== "import-statement") continue;
      const local = relative(ROOT, join(ROOT, dirname(file), `${path}.ts`));
      const name = path.startsWith(".") && existsSync(join(ROOT, local)) ? local : path;
      if (!found.has(name)) found.set(name, file);
    }
  }
  return found;
}

test("a start loads nothing that can wait until it is asked for", () => {
  const all = evaluated("src/main.ts");
  expect(all.has("src/exchange/phone_exchange.ts")).toBe(true);
  const dear = [...all].filter(([name]) => DEARER.some((pattern) => pattern.test(name)));
  expect(dear.map(([name, by]) => `${by} imports ${name}`)).toEqual([]);
});
