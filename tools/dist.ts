/**
 * The executables: dist/dahdi-phone-api-linux-{x64,arm64}. The arm64 runtime comes as a package from the
 * registry, checked against the lock file's hash, because Bun's own cross-compiling downloads it elsewhere.
 *   bun tools/dist.ts [x64] [arm64]
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const bun = join(root, "node_modules/.bin/bun");
type Arch = "x64" | "arm64";
const RUNTIMES: Record<Arch, string> = { x64: "@oven/bun-linux-x64", arm64: "@oven/bun-linux-aarch64" };
const MINUTE_MS = 60_000;

function run(command: string[], cwd = root): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd, timeout: 5 * MINUTE_MS });
  if (exitCode === 0) return stdout.toString();
  throw new Error(`${command.join(" ")} failed:\n${stdout}${stderr}`);
}

interface LockedPackage {
  version: string;
  integrity: string;
}

function locked(name: string): LockedPackage {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const entry = lock.packages[`node_modules/${name}`] as LockedPackage | undefined;
  if (!entry?.integrity) throw new Error(`package-lock.json knows no hash of ${name}`);
  return entry;
}

/** The path of Bun for the architecture: installed already, or fetched and checked. */
function runtime(arch: Arch): string {
  if (arch === process.arch) return process.execPath; // the pinned one that runs this
  const name = RUNTIMES[arch];
  const { version, integrity } = locked(name);
  const cache = join(root, "build/cache", `${name.replace("/", "-")}-${version}`);
  const unpacked = join(cache, "package/bin/bun");
  if (existsSync(unpacked)) return unpacked;
  mkdirSync(cache, { recursive: true });
  console.log(`dist: fetching ${name} ${version}`);
  const archive = join(cache, run(["npm", "pack", "--silent", `${name}@${version}`], cache).trim());
  const hash = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (hash !== integrity) throw new Error(`${name} ${version} is not what package-lock.json says: ${hash}`);
  run(["tar", "-xzf", archive, "-C", cache]);
  return unpacked;
}

function build(arch: Arch): void {
  const outfile = join(root, `dist/dahdi-phone-api-linux-${arch}`);
  run([
    bun,
    "build",
    "src/main.ts",
    // A thread's file is an entry of its own.
    "src/events/log_thread.ts",
    "src/recordings/flac_thread.ts",
    "src/http/docs/documents_thread.ts",
    "--compile",
    `--target=bun-linux-${arch}`,
    `--compile-executable-path=${runtime(arch)}`,
    "--bytecode",
    // What is imported when it is needed lies in a chunk of its own: a start reads 1 MB of 2.6.
    "--format=esm",
    "--splitting",
    // Never --minify: renamed identifiers break Elysia, which reads the text of its handlers.
    "--minify-syntax",
    "--minify-whitespace",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    `--outfile=${outfile}`,
  ]);
  console.log(`dist: ${outfile.slice(root.length + 1)} ${(statSync(outfile).size / 1e6).toFixed(0)} MB`);
}

const wanted = process.argv.slice(2) as Arch[];
mkdirSync(join(root, "dist"), { recursive: true });
for (const arch of wanted.length > 0 ? wanted : (["x64", "arm64"] as const)) build(arch);
