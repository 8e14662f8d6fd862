/**
 * dist/dahdi-phone-api_VERSION_{amd64,arm64}.deb, of the executables in dist/ and what is in packaging/ and systemd/.
 *   bun tools/deb.ts [amd64] [arm64]
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { version } from "../package.json";
import { BINARY, CONFIG_PATH, FILES, initialConfig, NAME } from "../src/appliance/layout";

const root = join(import.meta.dir, "..");
type Arch = "amd64" | "arm64";
const EXECUTABLES: Record<Arch, string> = { amd64: `${NAME}-linux-x64`, arm64: `${NAME}-linux-arm64` };
const PACKAGED_BINARY = `/usr/bin/${NAME}`;
const DOC = `/usr/share/doc/${NAME}`;
/** Of xz: 48 MB in 5 s; the usual 6 makes 42 MB in a minute. */
const COMPRESSION_LEVEL = 1;

const template = (name: string): string =>
  readFileSync(join(root, "packaging", name), "utf8").replaceAll("@VERSION@", version);

function run(command: string[], environment: Record<string, string> = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
    cwd: root,
    env: { ...process.env, ...environment },
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}\n${stdout}${stderr}`);
  return stdout.toString().trim();
}

/** Of the last commit, so that the same source makes the same package; without git, of the changelog. */
function sourceDate(): Date {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given) return new Date(Number(given) * 1000);
  const { exitCode, stdout } = Bun.spawnSync(["git", "log", "-1", "--format=%ct"], { cwd: root });
  return exitCode === 0 ? new Date(Number(stdout.toString()) * 1000) : statSync(join(root, "CHANGELOG.md")).mtime;
}
const date = sourceDate();

/** Where `install` puts things for this machine alone, a package puts them for the distribution. */
const packagedPath = (path: string): string =>
  path
    .replace("/etc/systemd/system/", "/usr/lib/systemd/system/")
    .replace(/^\/etc\/(sysusers|tmpfiles|udev)/, "/usr/lib/$1");

function build(arch: Arch): void {
  const executable = join(root, "dist", EXECUTABLES[arch]);
  if (!existsSync(executable)) throw new Error(`${executable} is not there: make dist`);
  const tree = join(root, "build/deb", arch);
  rmSync(tree, { recursive: true, force: true });
  const place = (path: string): string => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    return join(tree, path);
  };
  const write = (path: string, text: string | Uint8Array, mode = 0o644): void => {
    writeFileSync(place(path), text);
    chmodSync(place(path), mode);
  };
  const gzip = (text: string): Uint8Array => Bun.gzipSync(Buffer.from(text), { level: 9 });

  copyFileSync(executable, place(PACKAGED_BINARY));
  chmodSync(place(PACKAGED_BINARY), 0o755);
  for (const { path, text } of FILES) write(packagedPath(path), text.replaceAll(BINARY, PACKAGED_BINARY));
  write(CONFIG_PATH, initialConfig());
  write(`/usr/share/man/man8/${NAME}.8.gz`, gzip(template(`${NAME}.8`)));
  const licence = readFileSync(join(root, "LICENSE"), "utf8").split("\n\n").slice(2).join("\n\n").trimEnd();
  const indented = licence.split("\n").map((line) => (line === "" ? " ." : ` ${line}`));
  write(`${DOC}/copyright`, template("copyright").replace("@LICENSE@", indented.join("\n")));
  cpSync(join(root, "docs/third-party.md"), place(`${DOC}/third-party.md`));
  const stamp = date.toUTCString().replace("GMT", "+0000");
  const maintainer = /^Maintainer: (.*)$/m.exec(template("control"))?.[1];
  const entry = "  * See CHANGELOG.md of the source.";
  write(
    `${DOC}/changelog.gz`,
    gzip(`${NAME} (${version}) stable; urgency=medium\n\n${entry}\n\n -- ${maintainer}  ${stamp}\n`),
  );
  if (existsSync(join(root, "packaging/lintian-overrides")))
    write(`/usr/share/lintian/overrides/${NAME}`, template("lintian-overrides"));

  const installedKib = run(["du", "-sk", "--apparent-size", tree]).split("\t")[0] as string;
  const control = template("control").replace("@ARCHITECTURE@", arch).replace("@INSTALLED_KIB@", installedKib);
  write("DEBIAN/control", control);
  write("DEBIAN/conffiles", `${CONFIG_PATH}\n`);
  for (const script of ["preinst", "postinst", "prerm", "postrm"])
    write(`DEBIAN/${script}`, template(script), 0o755);
  run([
    "sh",
    "-c",
    `cd '${tree}' && find . -path ./DEBIAN -prune -o -type f -printf '%P\\0' | sort -z | xargs -0 md5sum > DEBIAN/md5sums`,
  ]);
  run(["find", tree, "-type", "d", "-exec", "chmod", "755", "{}", "+"]);

  const deb = join(root, `dist/${NAME}_${version}_${arch}.deb`);
  run(["dpkg-deb", "--root-owner-group", "-Zxz", `-z${COMPRESSION_LEVEL}`, "--build", tree, deb], {
    SOURCE_DATE_EPOCH: String(Math.floor(date.getTime() / 1000)),
  });
  rmSync(tree, { recursive: true });
  console.log(`deb: ${deb.slice(root.length + 1)} ${(statSync(deb).size / 1e6).toFixed(0)} MB`);
}

const wanted = process.argv.slice(2) as Arch[];
for (const arch of wanted.length > 0 ? wanted : (["amd64", "arm64"] as const)) build(arch);
