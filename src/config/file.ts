/** The configuration's file, changed by us: whole or not at all, whatever happens in between. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/** A configuration may hold secrets: a new file is its owner's and group's alone. */
const NEW_MODE = 0o640;

/** A device or a pipe, which a rename would do away with: root's --config=/dev/null was the machine's /dev/null. */
export const NO_FILE = "ENOTSUP";

/** Throws what the system says. The file keeps its mode, and its owner where we may say so; a link stays one. */
export function replaceFile(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false });
  // It would be replaced all the same, since that is asked of its folder: who locked it wants it to stay.
  if (before) accessSync(path, constants.W_OK);
  if (before && !before.isFile()) {
    throw Object.assign(new Error(`${path} is no file`), { code: NO_FILE, syscall: "replace", path });
  }
  const place = existsSync(path) ? realpathSync(path) : path;
  const folder = dirname(place);
  mkdirSync(folder, { recursive: true });
  const draft = `${place}.new`;
  rmSync(draft, { force: true });
  // By its descriptor from here on: in this folder others may write as well, and root's chown must not follow a name.
  const descriptor = openSync(draft, "wx", NEW_MODE);
  try {
    if (before) {
      fchmodSync(descriptor, before.mode & 0o777);
      if (process.getuid?.() === 0) fchownSync(descriptor, before.uid, before.gid);
    }
    writeFileSync(descriptor, text); // all of it, or it throws
    fsyncSync(descriptor);
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  const opened = openSync(folder, "r");
  fsyncSync(opened);
  closeSync(opened);
}
