import { statfs } from "node:fs/promises";

/** What an ordinary user may still write on the file system of a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, blocks, bsize } = await statfs(folder);
  // A file system in memory alone tells no size.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}
