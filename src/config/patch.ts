/** A merge patch (RFC 7396) into the text of a YAML file: what it does not name stays as it was typed, comments too. */
import type { YAMLMap, YAMLSeq } from "yaml";

export type PatchValue = null | boolean | number | string | PatchValue[] | { [key: string]: PatchValue };
export type Patch = { [key: string]: PatchValue };

const isPatch = (value: PatchValue): value is Patch =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** No key lies deeper, no file of ours is larger: what exceeds it would keep all telephones waiting while it is written. */
const MAX_DEPTH = 8;
const MAX_VALUES = 2000;

/** Is it small enough to be looked at more closely? */
export function isModest(patch: Patch): boolean {
  let left = MAX_VALUES;
  const fits = (value: PatchValue, depth: number): boolean =>
    --left >= 0 &&
    (value === null ||
      typeof value !== "object" ||
      (depth < MAX_DEPTH && Object.values(value).every((part) => fits(part, depth + 1))));
  return fits(patch, 0);
}

/** Throws YAML's own error where the text is none. */
export async function patchedText(source: string, patch: Patch): Promise<string> {
  const { parseDocument, isMap } = await import("yaml");
  const document = parseDocument(source, { uniqueKeys: true });
  const [broken] = document.errors;
  if (broken) throw broken;
  const apply = (part: Patch, path: readonly string[]): void => {
    for (const [key, value] of Object.entries(part)) {
      const here = [...path, key];
      const before = document.getIn(here, true);
      if (value === null) document.deleteIn(here);
      else if (isPatch(value)) {
        // A heading whose keys are all commented out is no map yet.
        if (!isMap(before)) document.setIn(here, inPlaceOf(before, document.createNode({}) as YAMLMap));
        apply(value, here);
      } else if (typeof value !== "object") {
        // A scalar takes its predecessor's place and keeps the comment beside it.
        document.setIn(here, value);
      } else {
        document.setIn(here, inPlaceOf(before, document.createNode(value) as YAMLSeq));
      }
    }
  };
  apply(patch, []);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** With what was said around the node before. */
function inPlaceOf<T extends YAMLMap | YAMLSeq>(before: unknown, node: T): T {
  const { comment, commentBefore, flow } = (before ?? {}) as Partial<YAMLSeq>;
  if (comment) node.comment = comment;
  if (commentBefore) node.commentBefore = commentBefore;
  if (flow) node.flow = flow;
  return node;
}

/** The keys that a patch names, dotted, in its order. */
export function patchedKeys(patch: Patch, prefix = ""): string[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const here = prefix === "" ? key : `${prefix}.${key}`;
    return isPatch(value) ? patchedKeys(value, here) : [here];
  });
}
