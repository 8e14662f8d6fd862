/**
 * make rig: the executable on real DAHDI drivers. For each guest and card: boots, runs the contract suite and the
 * card's own tests from this machine against the executable inside, and gathers what was measured.
 * TAP on standard output; the report on standard error and under dist/.
 *   bun test/rig/rig.ts [GUEST[/CARD[/TEST]] …] [--report=FILE.json]
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CardKind, RigAddress } from "../support/backend";
import { insertCard } from "./card";
import { RunningGuest } from "./guest";
import { GUESTS, type Guest } from "./guests";
import { buildImage, checkAbi, type Image } from "./image";
import { RIG } from "./packages";
import { type Measured, reportTable } from "./report";

const ROOT = join(import.meta.dir, "../..");
const RUN_LIMIT_MS = 15 * 60_000;
/** Guests at once: each has one core, and does not notice when it has to wait for it. */
const AT_ONCE = 2;

interface Run {
  guest: string;
  card: CardKind;
  tests: string[];
}

/** Not what has a server of its own on simulated telephones, or nothing to do with a card: it would show nothing here. */
const OWN_SERVERS = [
  "access",
  "backup",
  "browsers",
  "config",
  "event_log",
  "event_stream",
  "examples",
  "flight",
  "forms",
  "full_disk",
  "hotline",
  "idempotency",
  "limits",
  "limits_attacked",
  "live_audio",
  "log_disk",
  "playback",
  "recording_ends",
  "secrets",
  "sounds",
  "stopping",
  "streams",
  "tls",
  "tokens",
  "watching",
  "webhooks",
  "without_tokens",
];
const CONTRACT = [...new Bun.Glob("test/contract/*.test.ts").scanSync({ cwd: ROOT })]
  .filter((path) => !OWN_SERVERS.some((name) => path.endsWith(`/${name}.test.ts`)))
  .sort();
const rigTest = (name: string): string => `test/rig/${name}.test.ts`;

/** What runs where, the longest first. Each behaviour on one guest at least, and on others what a kernel could break. */
const PLAN: Run[] = [
  {
    guest: "arm64",
    card: "vfxs",
    tests: [...CONTRACT.filter((path) => !path.endsWith("/gather.test.ts")), ...["card", "steady"].map(rigTest)],
  },
  {
    guest: "x64",
    card: "vfxs",
    tests: ["line", "card", "caller_id", "faults", "voice", "echo"].map(rigTest),
  },
  { guest: "x64", card: "local", tests: [...CONTRACT, ...["line", "caller_id", "doctor"].map(rigTest)] },
  { guest: "arm64-6.12", card: "vfxs", tests: ["line", "card", "caller_id", "faults", "voice"].map(rigTest) },
  { guest: "arm64", card: "local", tests: ["line"].map(rigTest) },
  { guest: "arm64-16k", card: "vfxs", tests: ["card", "doctor"].map(rigTest) },
];

let number = 0;
let failed = 0;
function tell(ok: boolean, title: string, detail = ""): void {
  number++;
  if (!ok) failed++;
  console.log(`${ok ? "ok" : "not ok"} ${number} - ${title}`);
  for (const line of detail.split("\n").filter(Boolean)) console.log(`# ${line}`);
}
const note = (text: string): void => console.error(text);

const plain = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");

const WHY_LINES = 30;

/** What bun said last before it called the test failed. */
function whyByTitle(output: string): (test: string) => string {
  const lines = output.split("\n");
  return (test) => {
    const end = lines.findIndex((line) => line.startsWith("(fail)") && line.includes(test));
    const begin = lines.findLastIndex((line, i) => i < end && /^\((pass|fail|skip)\)/.test(line)) + 1;
    return end < 0 ? "" : lines.slice(Math.max(begin, end - WHY_LINES), end).join("\n");
  };
}

/** One bun test run against one card of one guest. */
async function runTests(name: string, files: string[], address: RigAddress, measuredPath: string): Promise<void> {
  const junit = join(RIG, `junit-${name.replace("/", "-")}.xml`);
  rmSync(junit, { force: true });
  const child = Bun.spawn(
    [process.execPath, "test", ...files, "--timeout=120000", "--reporter=junit", `--reporter-outfile=${junit}`],
    {
      cwd: ROOT,
      env: { ...process.env, DAHDI_RIG: JSON.stringify(address), DAHDI_RIG_MEASURED: measuredPath },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: RUN_LIMIT_MS,
    },
  );
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  writeFileSync(join(RIG, "logs", `${name.replace("/", "-")}.txt`), out + err);
  const xml = existsSync(junit) ? readFileSync(junit, "utf8") : "";
  let failures = 0;
  const why = whyByTitle(out + err);
  for (const [, attributes, rest] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const test = plain(/name="([^"]*)"/.exec(attributes ?? "")?.[1] ?? "?");
    const title = `${name}: ${test}`;
    // A skip of the shared suite on one card names the card that shows the same: nothing is missing here.
    if (rest?.includes("<skipped")) note(`  left out ${title}`);
    else {
      const wrong = rest?.includes("<failure") || rest?.includes("<error");
      if (wrong) failures++;
      tell(!wrong, title, wrong ? why(test) : "");
    }
  }
  if (xml === "" || (code !== 0 && failures === 0)) tell(false, `${name}: the run ended with ${code}`);
  if (code !== 0) {
    const said = (out + err).split("\n").filter((line) => !line.startsWith("(pass)"));
    note(said.join("\n").slice(-12_000));
  }
}

/** Boots, runs, and looks at what the kernel said. */
async function runGuest({ guest: guestName, card, tests }: Run, guest: Guest, image: Image): Promise<void> {
  const name = `${guestName}/${card}`;
  const startedAt = performance.now();
  try {
    await using vm = await RunningGuest.boot(guest, image, name);
    await insertCard(vm.agent, card);
    note(`rig: ${name}: up after ${vm.bootSeconds.toFixed(1)} s (${guest.what})`);
    const address: RigAddress = { guest: guestName, card, ...vm.ports };
    await runTests(name, tests, address, measuredPath);
    const oops = (await vm.agent.sh("dmesg")).match(/.*(?:BUG:|Oops|WARNING: CPU|Call Trace).*/g) ?? [];
    tell(oops.length === 0, `${name}: the kernel has nothing to complain of`, oops.join("\n"));
  } catch (error) {
    tell(false, `${name}: boots and serves`, String(error));
  }
  note(`rig: ${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

const EMULATORS = {
  amd64: { command: "qemu-system-x86_64", package: "qemu-system-x86" },
  arm64: { command: "qemu-system-aarch64", package: "qemu-system-arm" },
};

const OPTION = "--report=";
const words = process.argv.slice(2);
const wanted = words.filter((word) => !word.startsWith("-"));
const reportPath =
  words.find((word) => word.startsWith(OPTION))?.slice(OPTION.length) ?? join(ROOT, "dist/rig-report.json");
/** Named on the command line by its guest, card or own name; all are, when none is. */
function asked({ guest, card }: Run, test: string): boolean {
  const name = test.replace(/^.*\//, "").replace(".test.ts", "");
  return (
    wanted.length === 0 ||
    [guest, `${guest}/${card}`, `${guest}/${card}/${name}`].some((it) => wanted.includes(it))
  );
}
const runs = PLAN.map((run) => ({ ...run, tests: run.tests.filter((test) => asked(run, test)) })).filter(
  ({ tests }) => tests.length > 0,
);
const measuredPath = join(RIG, "measured.jsonl");
mkdirSync(join(RIG, "logs"), { recursive: true });
writeFileSync(measuredPath, "");

const images = new Map<Guest, Image>();
for (const guest of GUESTS.filter(({ name }) => runs.some((run) => run.guest === name))) {
  const emulator = EMULATORS[guest.arch];
  if (!Bun.which(emulator.command)) {
    console.log(`ok ${++number} - ${guest.name} # SKIP sudo apt-get install ${emulator.package}`);
    continue;
  }
  note(`rig: ${guest.name}: kernel, driver, initramfs`);
  try {
    images.set(guest, buildImage(guest));
    checkAbi(guest);
    tell(true, `${guest.name}: dahdi_abi.h is what the driver's <dahdi/user.h> says`);
  } catch (error) {
    tell(false, `${guest.name}: the image is built and the driver's numbers are ours`, String(error));
  }
}
const waiting = runs.flatMap((run) => {
  const [guest, image] = [...images].find(([{ name }]) => name === run.guest) ?? [];
  return guest && image ? [() => runGuest(run, guest, image)] : [];
});
const worker = async (): Promise<void> => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await next();
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));

const measured = readFileSync(measuredPath, "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Measured);
const versions = [...images].map(([guest, image]) => ({ guest: guest.name, what: guest.what, ...image.versions }));
const table = reportTable(measured, versions);
const tablePath = reportPath.replace(/\.json$/, ".md");
mkdirSync(dirname(reportPath), { recursive: true });
writeFileSync(tablePath, table);
writeFileSync(reportPath, `${JSON.stringify({ versions, measured }, null, 2)}\n`);
note(`\n${table}\n${tablePath}`);
console.log(`1..${number}`);
process.exit(failed > 0 ? 1 : 0);
