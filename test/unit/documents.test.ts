/** What README.md and docs/*.md name is there: keys, options, paths, codes, files, metrics; and the other way round. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { APPLIANCE_HELP } from "../../src/appliance/arguments";
import { KEEPING_HELP } from "../../src/backup/arguments";
import { HELP } from "../../src/command_line";
import { isLeaf, isList, notYet, type Schema } from "../../src/config/leaf";
import { SCHEMA } from "../../src/config/schema";
import { routesOf } from "../../src/http/routes/routes";

const ROOT = join(import.meta.dir, "../..");
/** The guide is its owner's, and run word for word elsewhere. */
const NOT_OURS = ["client-development-guide.md"];
const PAGES = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md") && !NOT_OURS.includes(name))
    .map((name) => `docs/${name}`),
];
const texts = PAGES.map((page) => ({ page, text: readFileSync(join(ROOT, page), "utf8") }));
const every = texts.map(({ text }) => text).join("\n");

/** Each match of a pattern in each page, as "page: match" where it is wrong. */
const wrong = (pattern: RegExp, isRight: (groups: string[], page: string) => boolean): string[] =>
  texts.flatMap(({ page, text }) =>
    [...text.matchAll(pattern)].filter((match) => !isRight([...match], page)).map(([all]) => `${page}: ${all}`),
  );

/** Dotted; of a list's items, too. */
function keysOf(schema: Schema, prefix = ""): string[] {
  return Object.entries(schema).flatMap(([key, node]) => {
    if (node === notYet) return [];
    if (isLeaf(node)) return [`${prefix}${key}`];
    const part = isList(node) ? node.item : node;
    return [`${prefix}${key}`, ...keysOf(part, `${prefix}${key}.`)];
  });
}

describe("configuration", () => {
  const keys = new Set(keysOf(SCHEMA));

  test("keys that are named are known", () => {
    // `a.b` of a top-level key; events.db is a file.
    const heads = Object.keys(SCHEMA).join("|");
    const named = new RegExp(`\`(${heads})\\.([a-z_.]+[a-z_])(?=[:\`\\s=])`, "g");
    expect(
      wrong(named, ([, head, rest]) => keys.has(`${head}.${rest}`) || /\.?(db|md)$/.test(rest ?? "")),
    ).toEqual([]);
    expect([...every.matchAll(named)].length).toBeGreaterThan(30);
  });

  test("the example file shows every key", () => {
    const source = readFileSync(join(ROOT, "docs/config.example.yml"), "utf8");
    const shown = parse(source) as Record<string, unknown>;
    const isShown = (key: string): boolean => {
      let at: unknown = shown;
      for (const name of key.split(".")) {
        // Of a list's items, and of one component, the comment beside it tells.
        if (Array.isArray(at) || (key.startsWith("logging.levels.") && name !== "logging" && name !== "levels"))
          return new RegExp(`# .*[{ ]${name}\\b`).test(source);
        if (at === null || typeof at !== "object" || !Object.hasOwn(at, name)) return false;
        at = (at as Record<string, unknown>)[name];
      }
      return true;
    };
    expect([...keys].filter((key) => !isShown(key))).toEqual([]);
  });
});

describe("command line", () => {
  const helps = [HELP, ...Object.values(APPLIANCE_HELP), ...Object.values(KEEPING_HELP)].join("\n");
  const known = new Set([...helps.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option));

  test("options that stand behind our name are known", () => {
    const typed = /dahdi-phone-api[^`\n|;]*?(--[a-z][a-z-]+)[^`\n|;]*/g;
    expect(
      wrong(typed, ([line = ""]) =>
        [...line.matchAll(/ (--[a-z][a-z-]+)/g)].every(([, option]) => known.has(option as string)),
      ),
    ).toEqual([]);
  });

  test("the manual page has every command that the package leaves to be typed", () => {
    const page = readFileSync(join(ROOT, "packaging/dahdi-phone-api.8"), "utf8");
    const commands = [...HELP.matchAll(/^ +dahdi-phone-api ([a-z]+)/gm)].map(([, command]) => command as string);
    // They exclude the package.
    const ofInstall = ["install"];
    expect(commands.filter((command) => !page.includes(command) && !ofInstall.includes(command))).toEqual([]);
    expect(commands.length).toBeGreaterThan(5);
  });

  test("each option is told of in the documents", () => {
    const obvious = ["--help", "--version"];
    expect([...known].filter((option) => !every.includes(option) && !obvious.includes(option))).toEqual([]);
  });
});

describe("the API", () => {
  const template = (path: string): string => path.replaceAll(/[:{]\w+\}?/g, "{}");
  const routes = routesOf(true);
  const operations = new Set([
    ...routes.map(({ endpoint, path }) => `${endpoint.method} ${template(path)}`),
    ...["/docs", "/openapi.json", "/asyncapi.json", "/ws", "/audio", "/lines/{}/audio", "/health"].map(
      (path) => `GET ${path}`,
    ),
  ]);

  test("verbs that are named exist", () => {
    const named = /\b(GET|POST|PUT|PATCH|DELETE) (\/[a-z0-9{}_/-]+)/g;
    expect(wrong(named, ([, method, path = ""]) => operations.has(`${method} ${template(path)}`))).toEqual([]);
    expect([...every.matchAll(named)].length).toBeGreaterThan(60);
  });

  test("URLs that are to be asked exist", () => {
    const url = /(?:127\.0\.0\.1|localhost|pi\.local):800[01](\/[^\s'"`?>)]*)/g;
    const patterns = [...operations].map(
      (operation) => new RegExp(`^${operation.split(" ")[1]?.replaceAll("{}", "[^/]+")}$`),
    );
    expect(wrong(url, ([, path = ""]) => patterns.some((pattern) => pattern.test(path)))).toEqual([]);
    expect([...every.matchAll(url)].length).toBeGreaterThan(30);
  });

  test("codes that are named are answered so", () => {
    const sources = readdirSync(join(ROOT, "src"), { recursive: true })
      .filter((name) => String(name).endsWith(".ts"))
      .map((name) => readFileSync(join(ROOT, "src", String(name)), "utf8"))
      .join("\n");
    const statuses = new Map<string, Set<string>>();
    const pairs = [
      ...[...sources.matchAll(/\b([a-z_]+): ([45]\d\d)\b/g)].map(([, code, status]) => [code, status]),
      ...[...sources.matchAll(/Problem\(\s*([45]\d\d),\s*"([a-z_]+)"/g)].map(([, status, code]) => [code, status]),
    ] as [string, string][];
    for (const [code, status] of pairs) statuses.set(code, (statuses.get(code) ?? new Set()).add(status));
    const named = /\b([45]\d\d) `?([a-z]+(?:_[a-z]+)+)/g;
    expect(wrong(named, ([, status = "", code = ""]) => statuses.get(code)?.has(status) ?? false)).toEqual([]);
    expect([...every.matchAll(named)].length).toBeGreaterThan(25);
  });

  test("metrics that are named are counted", () => {
    const source = ["metrics.ts", "line_metrics.ts"]
      .map((name) => readFileSync(join(ROOT, "src/http/metrics", name), "utf8"))
      .join("\n");
    expect(wrong(/`(dahdi_phone_[a-z_]+)`/g, ([, name = ""]) => source.includes(name))).toEqual([]);
  });
});

describe("files", () => {
  test("links lead somewhere", () => {
    const link = /\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)/g;
    const anchors = (path: string): string[] =>
      [...readFileSync(path, "utf8").matchAll(/^#+ (.*)$/gm)].map(
        ([, title = ""]) =>
          `#${title
            .toLowerCase()
            .replaceAll(/[^\w\s-]/g, "")
            .trim()
            .replaceAll(/\s/g, "-")}`,
      );
    expect(
      wrong(link, ([, path = "", anchor], page) => {
        const place = path === "" ? join(ROOT, page) : join(ROOT, dirname(page), path);
        return existsSync(place) && (anchor === undefined || anchors(place).includes(anchor));
      }),
    ).toEqual([]);
  });

  test("files of ours that are named are there", () => {
    const named = /(?<![\w/.-])((?:src|test|examples|native|tools|bench|systemd|packaging)\/[\w/.-]+\.\w+)/g;
    expect(wrong(named, ([, path = ""]) => existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("make's targets that are named are there", () => {
    const makefiles = ["Makefile", "native/native.mk", "bench/dsp/bench_dsp.mk", "bench/soak/ws_readers.mk"];
    const rules = makefiles.map((name) => readFileSync(join(ROOT, name), "utf8")).join("\n");
    const isTarget = (name: string): boolean => new RegExp(`^${name}( |:)`, "m").test(rules);
    expect(wrong(/`make ([a-z][a-z-]*)/g, ([, name = ""]) => isTarget(name))).toEqual([]);
  });
});
