/** A configuration's YAML, checked against the schema key by key. */

import type { Faults } from "./fault";
import { isLeaf, isList, type Leaf, type ListOf, notYet, type Schema } from "./leaf";

const MAPPING = "must be a mapping of keys to values (a space follows each colon)";
/** A key that stands twice is a mistake, and the rest of the file can be read all the same. */
const READABLE = "DUPLICATE_KEY";

export function defaults(schema: Schema): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, node] of Object.entries(schema)) {
    if (isList(node)) values[key] = [];
    else if (!isLeaf(node)) values[key] = defaults(node);
    else if (node.value !== undefined) values[key] = structuredClone(node.value);
  }
  return values;
}

/** The library's first sentence, without the place, which we say ourselves. */
const yamlFault = (message: string): string =>
  (message.split("\n")[0] ?? "")
    .replace(/ at line \d+, column \d+:?$/, "")
    .replace(/^Map keys must be unique$/, "this key stands twice")
    .replace(/^(Tabs are not allowed as indentation)$/, "$1: use spaces")
    .replace(/^All mapping items must start at the same column$/, "$&: check the indentation");

/** Into values goes what is right; the rest into faults. */
export async function readText(
  source: string,
  path: string,
  schema: Schema,
  values: Record<string, unknown>,
  faults: Faults,
): Promise<void> {
  // Loaded only where there is a file: the start without one is the fastest.
  const { isMap, isScalar, isSeq, LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true });
  const at = (node: unknown): string =>
    `${path}:${lines.linePos((node as { range?: number[] } | null)?.range?.[0] ?? 0).line}`;
  for (const { pos, message } of document.errors) {
    faults.add(`${path}:${lines.linePos(pos[0]).line}`, null, yamlFault(message));
  }
  if (document.errors.some(({ code }) => code !== READABLE)) return;

  const readItem = (node: unknown, list: ListOf, here: string, before: Record<string, unknown>[]): boolean => {
    const item = defaults(list.item);
    if (!isMap(node)) {
      faults.add(at(node), here, MAPPING);
      return false;
    }
    let right = walk(node, list.item, item, here);
    const named = node.items.map(({ key }) => (isScalar(key) ? String(key.value) : "?"));
    for (const key of list.required.filter((key) => !named.includes(key))) {
      const hint = list.requiredHints?.[key];
      faults.add(at(node), `${here}.${key}`, hint ? `is missing: ${hint}` : "is missing");
      right = false;
    }
    for (const fault of right ? list.checkItem(item, before) : []) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === fault.key);
      faults.add(at(pair?.key), `${here}.${fault.key}`, fault.wrong);
      right = false;
    }
    if (right) before.push(item);
    return right;
  };
  /** Was all of it right? */
  const walk = (node: unknown, part: Schema, into: Record<string, unknown>, prefix: string): boolean => {
    if (!isMap(node)) {
      faults.add(`${path}:1`, prefix || "the file", MAPPING);
      return false;
    }
    let right = true;
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : "?";
      const here = prefix ? `${prefix}.${name}` : name;
      const known = Object.hasOwn(part, name) ? part[name] : undefined;
      faults.stands(here, at(key));
      right = (known ? readValue(value, known, into, name, here, at(key)) : unknown(part, here, at(key))) && right;
    }
    return right;
  };
  const unknown = (part: Schema, here: string, where: string): boolean => {
    const known = Object.keys(part).filter((key) => part[key] !== notYet);
    faults.add(where, here, `is not known here (known: ${known.join(", ")})`);
    return false;
  };
  const readValue = (
    value: unknown,
    known: Schema | Leaf | ListOf,
    into: Record<string, unknown>,
    name: string,
    here: string,
    where: string,
  ): boolean => {
    const wrong = (what: string): boolean => {
      faults.add(where, here, what);
      return false;
    };
    if (isLeaf(known)) {
      const checked = known.check((value as { toJSON(): unknown } | null)?.toJSON() ?? null);
      if ("wrong" in checked) return wrong(checked.wrong);
      into[name] = checked.ok;
      return true;
    }
    // A heading whose keys are all commented out.
    if (value === null || (isScalar(value) && value.value === null)) return true;
    if (!isList(known)) {
      return isMap(value) ? walk(value, known, into[name] as Record<string, unknown>, here) : wrong(MAPPING);
    }
    if (!isSeq(value)) return wrong("must be a list");
    const items: Record<string, unknown>[] = [];
    into[name] = items;
    // Every item is looked at, whatever the one before was like.
    return value.items.filter((item, i) => !readItem(item, known, `${here}[${i}]`, items)).length === 0;
  };
  if (document.contents !== null) walk(document.contents, schema, values, "");
}
