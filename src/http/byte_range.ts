/** A finished file, whole or in part: RFC 9110, ranges and preconditions. */
import { Problem } from "./problem";

interface Range {
  from: number;
  /** Not included. */
  to: number;
}

/** null: the header is none that is understood, and is ignored as the RFC has it. "outside": 416. */
export function byteRange(header: string | null, size: number): Range | "outside" | null {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(" ", "") ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") {
    const suffix = Math.min(Number(last), size);
    return suffix > 0 ? { from: size - suffix, to: size } : "outside";
  }
  const from = Number(first);
  const to = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < from) return null;
  return from < size ? { from, to } : "outside";
}

const lists = (header: string, etag: string): boolean =>
  header === "*" || header.split(",").some((each) => each.trim().replace(/^W\//, "") === etag);

export function fileAnswer(
  request: Request,
  file: Blob,
  about: { etag: string; mediaType: string; name: string },
): Response {
  const { etag, mediaType, name } = about;
  const headers: Record<string, string> = {
    etag,
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "x-content-type-options": "nosniff",
    // No page of another origin may embed what was said here.
    "cross-origin-resource-policy": "same-origin",
    "content-disposition": `inline; filename="${name}"`,
  };
  const known = request.headers.get("if-none-match");
  if (known !== null && lists(known, etag)) return new Response(null, { status: 304, headers });
  const ifRange = request.headers.get("if-range");
  const asked = ifRange === null || ifRange === etag ? request.headers.get("range") : null;
  const range = byteRange(asked, file.size);
  if (range === "outside") {
    throw new Problem(416, "range_not_satisfiable", `The file has ${file.size} bytes: ask for some of those.`, {
      headers: { "content-range": `bytes */${file.size}` },
    });
  }
  headers["content-type"] = mediaType;
  if (range === null) return new Response(file, { headers });
  const { from, to } = range;
  headers["content-range"] = `bytes ${from}-${to - 1}/${file.size}`;
  return new Response(file.slice(from, to), { status: 206, headers });
}
