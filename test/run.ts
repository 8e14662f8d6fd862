/**
 * Every test there is: suites one after another, with their times; what failed in full; a table; and as the last
 * line `N passed, N failed`. A suite that ran nothing has failed. A skip is said aloud, and with CI=true it is a
 * failure.
 *   bun test/run.ts [SUITE …]
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

const root = join(import.meta.dir, "..");
const inCi = process.env.CI === "true";
const bun = process.execPath;
const SUITE_LIMIT_MS = 20 * 60_000;

interface Outcome {
  passed: number;
  failures: string[];
  skips: string[];
}

interface Suite {
  name: string;
  run(): Promise<Outcome>;
  /** A file to print when it has run. */
  report?: string;
  /** It begins with this suite and is waited for after it: an emulated machine boots while others wait for less. */
  from?: string;
}

interface Finished {
  code: number;
  output: string;
}

async function run(command: string[], environment: Record<string, string> = {}): Promise<Finished> {
  const child = Bun.spawn(command, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: SUITE_LIMIT_MS,
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, output: out + err };
}

/** A command that is right or wrong as a whole. */
const step =
  (name: string, ...command: string[]) =>
  async (): Promise<Outcome> => {
    const { code, output } = await run(command);
    return code === 0
      ? { passed: 1, failures: [], skips: [] }
      : { passed: 0, failures: [`${name}\n${output}`], skips: [] };
  };

const together =
  (...parts: (() => Promise<Outcome>)[]) =>
  async (): Promise<Outcome> => {
    const whole: Outcome = { passed: 0, failures: [], skips: [] };
    for (const part of parts) {
      const { passed, failures, skips } = await part();
      whole.passed += passed;
      whole.failures.push(...failures);
      whole.skips.push(...skips);
    }
    return whole;
  };

/** A program that prints TAP. One that ends badly without a "not ok" has crashed. */
const tap =
  (name: string, ...command: string[]) =>
  async (): Promise<Outcome> => {
    const { code, output } = await run(command);
    const outcome: Outcome = { passed: 0, failures: [], skips: [] };
    const lines = output.split("\n");
    let program = name;
    lines.forEach((line, i) => {
      if (line.startsWith("# build/")) program = line.slice(2);
      if (/^ok \d+.*# SKIP/.test(line)) outcome.skips.push(line.replace(/^ok \d+ (- )?/, ""));
      else if (/^ok \d+/.test(line)) outcome.passed++;
      else if (/^not ok \d+/.test(line)) {
        const after = lines.slice(i + 1);
        const end = after.findIndex((next) => !next.startsWith("#"));
        const detail = after.slice(0, end < 0 ? after.length : end);
        outcome.failures.push([`${program}: ${line}`, ...detail].join("\n"));
      }
    });
    if (code !== 0 && outcome.failures.length === 0)
      outcome.failures.push(`${name} ended with ${code}\n${output.slice(-4000)}`);
    return outcome;
  };

const xmlText = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");

const bunTest =
  (name: string, folder: string, environment: Record<string, string> = {}) =>
  (): Promise<Outcome> =>
    bunTestFiles(name, [folder], environment);

/** A process for each file, several at once, for tests that wait more than they work; the longest files first. */
const bunTestAtOnce =
  (name: string, folder: string, processes: number, environment: Record<string, string> = {}) =>
  async (): Promise<Outcome> => {
    const files = sources(`${folder}/*.test.ts`).sort((a, b) => lines(b) - lines(a));
    const outcomes: Outcome[] = [];
    const worker = async (): Promise<void> => {
      for (let file = files.shift(); file; file = files.shift())
        outcomes.push(await bunTestFiles(`${name}-${basename(file, ".test.ts")}`, [file], environment));
    };
    await Promise.all(Array.from({ length: processes }, worker));
    return {
      passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
      failures: outcomes.flatMap(({ failures }) => failures),
      skips: outcomes.flatMap(({ skips }) => skips),
    };
  };

const lines = (path: string): number => readFileSync(join(root, path), "utf8").split("\n").length;

async function bunTestFiles(
  name: string,
  paths: readonly string[],
  environment: Record<string, string>,
): Promise<Outcome> {
  const report = join(root, "build", `junit-${name}.xml`);
  mkdirSync(join(root, "build"), { recursive: true });
  rmSync(report, { force: true });
  const { code, output } = await run(
    [bun, "test", ...paths, "--timeout=120000", "--reporter=junit", `--reporter-outfile=${report}`],
    environment,
  );
  const outcome: Outcome = { passed: 0, failures: [], skips: [] };
  const xml = existsSync(report) ? readFileSync(report, "utf8") : "";
  for (const [, attributes, rest] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const title = xmlText(/name="([^"]*)"/.exec(attributes ?? "")?.[1] ?? "?");
    if (rest?.includes("<failure") || rest?.includes("<error")) outcome.failures.push(`${name}: ${title}`);
    else if (rest?.includes("<skipped")) outcome.skips.push(title);
    else outcome.passed++;
  }
  if (outcome.failures.length > 0) outcome.failures.push(`${outcome.failures.pop()}\n${excerpt(output)}`);
  else if (code !== 0) outcome.failures.push(`${name} ended with ${code}\n${output.slice(-6000)}`);
  return outcome;
}

/** What bun said around each failure, without the lines of what passed. */
const excerpt = (output: string): string =>
  output
    .split("\n")
    .filter((line) => !line.startsWith("(pass)"))
    .join("\n")
    .slice(-12_000);

const sources = (pattern: string): string[] => [...new Bun.Glob(pattern).scanSync({ cwd: root })].sort();
const cSources = [
  "native",
  "test/native",
  "test/rig",
  "test/peers",
  "test/fuzz",
  "bench/dsp",
  "bench/soak",
].flatMap((folder) => sources(`${folder}/*.[ch]`));
const x64 = join(root, "dist/dahdi-phone-api-linux-x64");

const SUITES: Suite[] = [
  {
    name: "check",
    run: together(
      step(
        "format of C: clang-format -i native/*.[ch] test/{native,rig,peers,fuzz}/*.[ch] bench/{dsp,soak}/*.[ch]",
        "clang-format",
        "--dry-run",
        "-Werror",
        ...cSources,
      ),
      step("format and lint of TypeScript: biome check --write", "node_modules/.bin/biome", "check", "."),
      step("types", "node_modules/.bin/tsc"),
      step("ABI: make native-abi", "make", "--no-print-directory", "native-abi-check"),
      step("import arrows", bun, "tools/check_arrows.ts"),
    ),
  },
  {
    name: "build",
    run: together(
      step("native", "make", "--no-print-directory", "-j2", "native"),
      step("dist", "make", "--no-print-directory", "-j2", "dist"),
    ),
  },
  { name: "native", run: tap("native", "make", "--no-print-directory", "-j2", "native-test") },
  {
    name: "fuzz",
    run: Bun.which("clang")
      ? tap("fuzz", "make", "--no-print-directory", "fuzz")
      : async () => ({
          passed: 0,
          failures: [],
          skips: ["fuzzers: sudo apt-get install clang libclang-rt-14-dev"],
        }),
  },
  {
    name: "talk-off",
    run: together(
      tap("talk-off", "sh", "test/native/talkoff.sh"),
      tap("talk-off of call progress", bun, "test/native/progress_talkoff.ts"),
    ),
  },
  { name: "unit", run: bunTest("unit", "test/unit") },
  { name: "contract", run: bunTestAtOnce("contract", "test/contract", 4, { DAHDI_TEST_EXECUTABLE: x64 }) },
  { name: "peers", run: bunTest("peers", "test/peers") },
  { name: "guide", from: "contract", run: tap("guide", "sh", "test/e2e/guide.sh") },
  { name: "e2e", run: bunTestAtOnce("e2e", "test/e2e", 2) },
  {
    name: "appliance",
    from: "native",
    run: bunTest("appliance", "test/appliance"),
    report: "dist/appliance-report.md",
  },
  { name: "rig", run: tap("rig", bun, "test/rig/rig.ts"), report: "dist/rig-report.md" },
];

/** A failure in a few lines: its title, and what was expected where bun says so. */
const summary = (failure: string): string => {
  const [title = "", ...detail] = failure.split("\n");
  const said = detail.filter((line) => /^\s*(error:|Expected|Received|\(fail\)|at .*\.test\.ts:|# )/.test(line));
  return [title, ...said.slice(-30)].join("\n    ").slice(0, 3000);
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`no suite ${unknown.join(", ")}: there are ${SUITES.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

interface Row {
  name: string;
  outcome: Outcome;
  seconds: number;
}

async function timed({ name, run: runSuite }: Suite): Promise<Row> {
  const startedAt = performance.now();
  const outcome = await runSuite();
  if (outcome.passed + outcome.failures.length + outcome.skips.length === 0) outcome.failures.push("no test ran");
  return { name, outcome, seconds: (performance.now() - startedAt) / 1000 };
}

const rows: Row[] = [];
const asked = SUITES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const begun = new Map<Suite, Promise<Row>>();
for (const suite of asked) {
  for (const later of asked) if (later.from === suite.name) begun.set(later, timed(later));
  process.stdout.write(`${suite.name.padEnd(10)} … `);
  const row = await (begun.get(suite) ?? timed(suite));
  const { outcome, seconds } = row;
  rows.push(row);
  console.log(`${outcome.failures.length === 0 ? "ok" : "FAILED"} (${seconds.toFixed(1)} s)`);
  for (const failure of outcome.failures) console.log(`  ✗ ${failure.replaceAll("\n", "\n    ")}`);
  for (const skip of outcome.skips) console.log(`  SKIPPED ${skip}`);
  if (suite.report && existsSync(join(root, suite.report)))
    console.log(`\n${readFileSync(join(root, suite.report), "utf8")}\n(${suite.report})\n`);
}

const sum = (count: (outcome: Outcome) => number): number =>
  rows.reduce((total, row) => total + count(row.outcome), 0);
const skipped = sum(({ skips }) => skips.length);
console.log("\nsuite        passed  failed  skipped   time");
for (const { name, outcome, seconds } of rows) {
  const { passed, failures, skips } = outcome;
  const cells = [
    String(passed).padStart(8),
    String(failures.length).padStart(8),
    String(skips.length).padStart(9),
  ];
  console.log(`${name.padEnd(11)}${cells.join("")}${seconds.toFixed(1).padStart(7)} s`);
}
if (skipped > 0)
  console.log(
    inCi
      ? "\nSkips count as failures here (CI=true)."
      : "\nSkipped: tools/setup.sh test, as root, installs what is missing.",
  );
const failed = sum(({ failures }) => failures.length) + (inCi ? skipped : 0);
// Once more, by name: whoever sees only the end of a log sees what to look for.
for (const { name, outcome } of rows) {
  for (const failure of outcome.failures) console.log(`✗ ${name}: ${summary(failure)}`);
  if (inCi) for (const skip of outcome.skips) console.log(`✗ ${name}: skipped ${skip}`);
}
console.log(`\n${sum(({ passed }) => passed)} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
