/**
 * make soak: a crowd of clients, kill -9 and nonsense, against the executable. Prints a table, writes
 * dist/soak-report.md, ends with 1 where a bar was missed.
 *   bun bench/soak/soak.ts [--minutes=3] [--seed=N] [PART …]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, type RunningServer, startServer } from "../../test/support/server";
import { Figures } from "../figures";
import { bareCrowd, crowd } from "./crowd";
import { fuzzFrames, fuzzRequests } from "./fuzz";
import { kills } from "./kills";
import { unplugged } from "./unplugged";

const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");
const LINES = 4;
/** At 100,000 the allocator still grows towards what it keeps; what leaks goes on after that. */
const REQUESTS = 300_000;

const option = (name: string, otherwise: number): number => {
  const word = process.argv.find((each) => each.startsWith(`--${name}=`));
  const value = word === undefined ? otherwise : Number(word.slice(name.length + 3));
  if (!(value > 0)) throw new Error(`--${name} takes a number`);
  return value;
};
const minutes = option("minutes", 3);
const seed = option("seed", Math.floor(Math.random() * 2 ** 31));
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));

const start = (options: readonly string[]): Promise<RunningServer> =>
  startServer({ command: [EXECUTABLE], arguments: [`--simulate=${LINES}`, ...options] });
const withServer = async (
  part: (server: RunningServer) => Promise<void>,
  ...options: readonly string[]
): Promise<void> => {
  await using server = await start(options);
  await part(server);
};

const figures = new Figures();
const PARTS: Record<string, () => Promise<void>> = {
  crowd: async () => {
    const size = { readers: 800, deaf: 100, droppers: 100 };
    let p99Ms = Number.NaN;
    await withServer(async (server) => {
      p99Ms = await crowd(server, figures, { ...size, seconds: minutes * 60 });
    });
    await bareCrowd(figures, { ...size, seconds: 30 }, p99Ms);
  },
  requests: () =>
    withServer(
      (server) => fuzzRequests(server, figures, REQUESTS, seed),
      `--config=${join(ROOT, "bench/soak/requests.yml")}`,
    ),
  frames: () => withServer((server) => fuzzFrames(server, figures, 100_000, seed)),
  card: () => unplugged(figures, 50),
  kills: () => kills({ command: [EXECUTABLE], rounds: 200, figures, seed }),
};
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(", ")}: there are ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}
console.log(`soak: seed ${seed}, a crowd of 1,000 for ${minutes} minutes`);
for (const [name, part] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`${name} …`);
  await part();
}
const table = figures.table();
mkdirSync(join(ROOT, "dist"), { recursive: true });
writeFileSync(join(ROOT, "dist/soak-report.md"), `${table}\n`);
console.log(`\n${table}\n\ndist/soak-report.md`);
process.exit(figures.missed.length > 0 ? 1 : 0);
