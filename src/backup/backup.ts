/** Configuration and state in one file, and back. tar packs: it is on every Debian, streams, and keeps modes. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { replaceFile } from "../config/file";
import { BackupError } from "./backup_error";
import { EVENT_LOG, isHeld, snapshotEvents } from "./event_snapshot";

export interface Places {
  configPath: string;
  stateFolder: string;
  version: string;
  nowMs: number;
  say(line: string): void;
}

interface Manifest {
  format: 1;
  version: string;
  created: string;
  recordings: boolean;
}

const MANIFEST = "manifest.json";
const CONFIG = "config.yml";
const STATE = "state";
/** What a running server makes anew, writes just now, or is asked for by name. */
const LEFT_OUT = [/^events\.db/, /\.part$/, /\.new$/, /^recordings$/, /^flight$/];
const OWNER_ONLY = 0o600;
const MOST_CONFIG_BYTES = 10e6;

async function tar(...words: string[]): Promise<string> {
  const child = Bun.spawn(["tar", ...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  // Its last words are that it gives up; what came before says why.
  if ((await child.exited) !== 0) throw new BackupError(err.trim().split("\n")[0] || "tar failed");
  return out;
}

export async function backup(file: string, recordings: boolean, places: Places): Promise<void> {
  const { configPath, stateFolder, say } = places;
  const target = resolve(file);
  mustTakeFile(target);
  if (!existsSync(dirname(target))) {
    throw new BackupError(`there is no folder ${dirname(target)}: make it, or name another`);
  }
  // An empty backup would be found out when it is needed: without sudo another folder is looked into.
  if (!existsSync(stateFolder)) {
    throw new BackupError(
      `${stateFolder} is not there, or not this user's to see: sudo, or --config=FILE of the server`,
    );
  }
  const stage = mkdtempSync(join(tmpdir(), "dahdi-phone-backup-"));
  try {
    chmodSync(stage, 0o700);
    const manifest: Manifest = {
      format: 1,
      version: places.version,
      created: new Date(places.nowMs).toISOString(),
      recordings,
    };
    writeFileSync(join(stage, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    if (existsSync(configPath)) copyFileSync(configPath, join(stage, CONFIG));
    const state = join(stage, STATE);
    mkdirSync(state);
    const names = readdirSync(stateFolder);
    for (const name of names) {
      const wanted = name === "recordings" ? recordings : !LEFT_OUT.some((pattern) => pattern.test(name));
      // By its name alone: tar follows it, so that no sound is copied twice.
      if (wanted) symlinkSync(join(stateFolder, name), join(state, name));
    }
    if (names.includes(EVENT_LOG) && !snapshotEvents(stateFolder, join(state, EVENT_LOG))) {
      throw new BackupError("the event log changes all the time: stop the server for a backup");
    }
    if (existsSync(join(state, EVENT_LOG))) chmodSync(join(state, EVENT_LOG), OWNER_ONLY);
    const draft = `${target}.new`;
    // Ours, whatever somebody has put there: a link, or a file that stays theirs to read.
    rmSync(draft, { force: true });
    writeFileSync(draft, "", { mode: OWNER_ONLY, flag: "wx" });
    await tar(
      "--create",
      "--gzip",
      "--dereference",
      "--exclude=*.part",
      `--file=${draft}`,
      "-C",
      stage,
      ...readdirSync(stage),
    );
    renameSync(draft, target);
    const { size } = statSync(target);
    const length = size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`;
    say(
      `${target}: ${length}, with ${[...readdirSync(stage), ...names.filter((n) => existsSync(join(state, n)))].join(", ")}`,
    );
    if (!recordings && names.includes("recordings"))
      say("without the recordings: --with-recordings takes them along");
  } finally {
    rmSync(stage, { recursive: true, force: true });
    rmSync(`${target}.new`, { force: true });
  }
}

export interface RestorePlaces extends Places {
  /** Where a configuration has its state, whatever else is wrong in it. */
  stateFolderOf(config: string): Promise<string>;
  /** Throws where it is none that this version starts with. state: where its tokens are for now. */
  checkConfig(text: string, path: string, state: string): Promise<unknown>;
}

export async function restore(file: string, places: RestorePlaces): Promise<void> {
  const { configPath, say } = places;
  if (!existsSync(file)) throw new BackupError(`${file} does not exist`);
  // Found out when the state is in its place already, it would be half a restore.
  mustTakeFile(configPath);
  const { bytes, names } = await contents(file);
  const config = names.includes(CONFIG)
    ? await tar("--extract", "--gzip", "--to-stdout", `--file=${file}`, CONFIG)
    : null;
  // There the server will look for it, and not where the configuration before had it: tokens would be gone.
  const stateFolder = config === null ? places.stateFolder : await places.stateFolderOf(config);
  if (isHeld(places.stateFolder) || isHeld(stateFolder)) {
    throw new BackupError(
      "the server is running: sudo systemctl stop dahdi-phone-api, restore, and start it again",
    );
  }
  mkdirSync(dirname(stateFolder), { recursive: true });
  mustHaveRoom(file, bytes, dirname(stateFolder));
  const stage = mkdtempSync(join(dirname(stateFolder), ".dahdi-phone-restore-"));
  try {
    await tar("--extract", "--gzip", "--no-same-owner", `--file=${file}`, "-C", stage);
    const manifest = manifestOf(join(stage, MANIFEST), file);
    if (manifest.format !== 1)
      throw new BackupError(`${file} is of a newer version (${manifest.version}): upgrade first`);
    const incoming = join(stage, STATE);
    if (config !== null) await places.checkConfig(config, `${basename(file)}/${CONFIG}`, incoming);
    // From here on nothing can be wrong but the disk.
    const owner = existsSync(stateFolder) ? statSync(stateFolder) : null;
    keepRecordings(stateFolder, incoming);
    if (owner && process.getuid?.() === 0) chownAll(incoming, owner.uid, owner.gid);
    chmodSync(incoming, 0o700);
    aside(stateFolder);
    renameSync(incoming, stateFolder);
    if (config !== null) {
      if (existsSync(configPath)) copyFileSync(configPath, `${configPath}.before-restore`);
      replaceFile(configPath, config);
    }
    say(`restored what version ${manifest.version} kept on ${manifest.created}: ${configPath}, ${stateFolder}`);
    say("what was there is beside it, as *.before-restore");
    if (!owner && process.getuid?.() === 0)
      say(`new, and root's; for the service: sudo chown -R dahdi-phone-api: ${stateFolder}`);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** It is put there by a rename, which would do away with a device: root's /dev/null, say. */
function mustTakeFile(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new BackupError(`${path} is a folder: name a file in it`);
  if (there && !there.isFile()) throw new BackupError(`${path} is no file`);
}

function manifestOf(path: string, file: string): Manifest {
  try {
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest | null;
    if (typeof manifest?.format === "number") return manifest;
  } catch {
    // said below
  }
  throw new BackupError(`${file} is no backup of this program, or is damaged`);
}

/** Of tar's long list: kind and rights, owner, bytes, day, time, name. */
const LISTED = /^(.)\S*\s+\S+\s+(\d+)\s+\S+\s+\S+\s+(.+)$/;
const OURS = /^(manifest\.json$|config\.yml$|state\/)/;

/**
 * Nothing is unpacked that reaches out of its folder, or is no backup. Files and folders alone: we are
 * root, and give what comes to the service's user; through a link that would be a file of somebody else.
 */
async function contents(file: string): Promise<{ names: string[]; bytes: number }> {
  const listed = await tar("--list", "--verbose", "--numeric-owner", "--gzip", `--file=${file}`).catch(() => "");
  const names: string[] = [];
  let bytes = 0;
  for (const line of listed.split("\n").filter(Boolean)) {
    const [, kind, size, name = ""] = LISTED.exec(line) ?? [];
    if ((kind !== "-" && kind !== "d") || !OURS.test(name) || name.includes("..")) {
      throw new BackupError(`${file} is no backup of this program, or is damaged`);
    }
    if (name === CONFIG && Number(size) > MOST_CONFIG_BYTES)
      throw new BackupError(`${file}: ${CONFIG} is too long`);
    names.push(name);
    bytes += Number(size);
  }
  if (!names.includes(MANIFEST) || !names.includes(`${STATE}/`)) {
    throw new BackupError(`${file} is no backup of this program, or is damaged`);
  }
  return { names, bytes };
}

function mustHaveRoom(file: string, bytes: number, folder: string): void {
  const { bavail, blocks, bsize } = statfsSync(folder);
  // A file system in memory alone tells no size.
  if (blocks > 0 && bytes > bavail * bsize) {
    throw new BackupError(`${file} unpacks to ${Math.ceil(bytes / 1e6)} MB, for which ${folder} has no room`);
  }
}

/** A backup without recordings takes none away. */
function keepRecordings(stateFolder: string, incoming: string): void {
  const mine = join(stateFolder, "recordings");
  const theirs = join(incoming, "recordings");
  if (existsSync(mine) && !existsSync(theirs)) cpSync(mine, theirs, { recursive: true, preserveTimestamps: true });
}

function aside(folder: string): void {
  if (!existsSync(folder)) return;
  rmSync(`${folder}.before-restore`, { recursive: true, force: true });
  renameSync(folder, `${folder}.before-restore`);
}

function chownAll(path: string, uid: number, gid: number): void {
  chownSync(path, uid, gid);
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) chownAll(join(path, name), uid, gid);
}
