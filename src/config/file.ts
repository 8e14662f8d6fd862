/** The configuration's file, changed by us: whole or not at all, whatever happens in between. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** A configuration may hold secrets: a new file is its owner's and group's alone. */
const NEW_MODE = 0o640;

/** Throws what the system says. The file keeps its mode, and its owner where we may say so. */
export function replaceFile(path: string, text: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const before = statSync(path, { throwIfNoEntry: false });
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  const descriptor = openSync(draft, "wx", before ? before.mode & 0o777 : NEW_MODE);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (before) {
    chmodSync(draft, before.mode & 0o777);
    if (process.getuid?.() === 0) chownSync(draft, before.uid, before.gid);
  }
  renameSync(draft, path);
  const opened = openSync(folder, "r");
  fsyncSync(opened);
  closeSync(opened);
}
