/** The tables of the event log: made in an empty file, and known again in one that is there. */
import type { Database } from "bun:sqlite";

const LAYOUT = 1;
const TABLES = `
  CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, line INTEGER NOT NULL, at_ms INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS holes (from_id INTEGER PRIMARY KEY, to_id INTEGER NOT NULL, lost INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`;
const COLUMNS: Record<string, string> = {
  events: "id INTEGER, line INTEGER, at_ms INTEGER, type TEXT, body TEXT",
  holes: "from_id INTEGER, to_id INTEGER, lost INTEGER",
  cursors: "name TEXT, id INTEGER",
  facts: "name TEXT, value INTEGER",
};
export const PAGE_BYTES = 1024;
/** The write-ahead log goes into the tables at about this size. */
const WAL_PAGES = 1024;

/** Nothing of it is ours to read or to change. */
export const foreignFile = (): Error =>
  Object.assign(new Error("it is not this program's event log"), { code: "FOREIGN_FILE" });

/** Throws where the file is somebody else's, before anything in it is changed. */
export function prepareFile(database: Database): void {
  const layout = Number(database.query("PRAGMA user_version").values()[0]?.[0]);
  if (layout > LAYOUT) {
    throw Object.assign(new Error("a newer version of this program wrote it"), { code: "NEWER_FILE" });
  }
  requireOurTables(database, layout);
  if (layout === 0) {
    database.run(`PRAGMA page_size = ${PAGE_BYTES}`);
    database.run("PRAGMA auto_vacuum = INCREMENTAL");
  }
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = NORMAL");
  database.run(`PRAGMA wal_autocheckpoint = ${WAL_PAGES}`);
  database.run(`PRAGMA journal_size_limit = ${2 * WAL_PAGES * PAGE_BYTES}`);
  database.run("PRAGMA cache_size = -1024");
  if (layout === 0) {
    database.transaction(() => {
      for (const table of TABLES.split(";")) database.run(table);
      database.run(`PRAGMA user_version = ${LAYOUT}`);
    })();
  }
  forgetUrls(database);
}

/** A number in its header is no proof: another program's file may well have the same. */
function requireOurTables(database: Database, layout: number): void {
  const names = database.query("SELECT name FROM sqlite_master WHERE type = 'table'").values().flat() as string[];
  const wanted = Object.keys(COLUMNS);
  // A start that was broken off may have made some of them.
  const strange = layout === 0 && names.some((name) => !wanted.includes(name));
  const missing = layout !== 0 && wanted.some((name) => !names.includes(name));
  const different = wanted.some((name) => {
    const columns = database.query("SELECT name, type FROM pragma_table_info(?)").values(name) as string[][];
    return names.includes(name) && columns.map((column) => column.join(" ")).join(", ") !== COLUMNS[name];
  });
  if (strange || missing || different) throw foreignFile();
}

/** A reader's name of what is configured: a URL's query may hold a secret, and a hash tells none. */
export const cursorName = (url: string): string =>
  `sha256:${new Bun.CryptoHasher("sha256").update(url).digest("hex")}`;

/** Builds before the first release kept webhooks' URLs as they are. */
function forgetUrls(database: Database): void {
  const urls = database.query("SELECT name FROM cursors WHERE name LIKE 'http%://%'").values().flat() as string[];
  if (urls.length === 0) return;
  database.run("PRAGMA secure_delete = ON");
  database.transaction(() => {
    for (const url of urls)
      database.run("UPDATE OR REPLACE cursors SET name = ? WHERE name = ?", [cursorName(url), url]);
  })();
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.run("PRAGMA secure_delete = OFF");
}
