/**
 * Idempotency-Key: a POST that is sent again, because its answer was lost, is not done again. Kept in memory, for a
 * day, within bounds for each client and for all.
 */
import { readBody } from "./input";
import { Problem } from "./problem";
import { REQUEST_ID_HEADER } from "./watched_request";

/** The body is read before anything is done: one that is used while it arrives cannot be compared. */
export const MAX_KEYED_BODY_BYTES = 4 * 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024;
const KEPT_MS = 24 * 60 * 60 * 1000;
const MAX_KEYS_OF_ONE = 200;
const MAX_CLIENTS = 256;
const MAX_BYTES = 16 * 1024 * 1024;
/** Not of what was asked, but of who asked and when: it may be asked again. */
const NOT_KEPT = [401, 403, 429];
/** Of an entry beside its answer's body. */
const ENTRY_BYTES = 512;

interface Entry {
  /** Of method, path, query and body. */
  fingerprint: string;
  /** null: under way. */
  answer: { status: number; headers: [string, string][]; body: Uint8Array<ArrayBuffer> } | null;
  atMs: number;
}

const bytesOf = ({ answer }: Entry): number => ENTRY_BYTES + (answer?.body.byteLength ?? 0);

export class IdempotencyStore {
  /** By client, then by key; the oldest first. */
  readonly #clients = new Map<string, Map<string, Entry>>();
  #bytes = 0;

  constructor(private readonly nowMs: () => number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** owner: nobody is answered what another one's request was answered. */
  async answer(
    owner: string,
    key: string,
    request: Request,
    perform: (request: Request) => Promise<Response>,
  ): Promise<Response> {
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      const detail =
        "Idempotency-Key must be 1 to 255 printable ASCII characters without a space, such as a UUID.";
      throw new Problem(400, "invalid_idempotency_key", detail);
    }
    const body = await keyedBody(request);
    const { pathname, search } = new URL(request.url);
    const fingerprint = new Bun.CryptoHasher("sha256")
      .update(`${request.method} ${pathname}${search}\n`)
      .update(body)
      .digest("hex");
    this.#expire();
    const entries = this.#clients.get(owner) ?? new Map<string, Entry>();
    const known = entries.get(key);
    if (known) return replayed(known, fingerprint);
    const entry: Entry = { fingerprint, answer: null, atMs: this.nowMs() };
    // Touched last, dropped last.
    this.#clients.delete(owner);
    this.#clients.set(owner, entries.set(key, entry));
    this.#bytes += bytesOf(entry);
    try {
      const { url, method, headers, signal } = request;
      const response = await perform(
        new Request(url, { method, headers, body: body.byteLength > 0 ? body : null, signal }),
      );
      return await this.#kept(owner, key, entry, response);
    } catch (error) {
      this.#drop(owner, key, entry);
      throw error;
    } finally {
      this.#bound(owner);
    }
  }

  async #kept(owner: string, key: string, entry: Entry, response: Response): Promise<Response> {
    const body = new Uint8Array(await response.arrayBuffer());
    const { status, headers } = response;
    // What failed on our side, or for a while, may be tried again.
    if (status >= 500 || NOT_KEPT.includes(status) || body.byteLength > MAX_ANSWER_BYTES) {
      this.#drop(owner, key, entry);
    } else {
      entry.answer = { status, headers: [...headers].filter(([name]) => name !== REQUEST_ID_HEADER), body };
      this.#bytes += body.byteLength;
    }
    return new Response(body, { status, headers });
  }

  #drop(owner: string, key: string, entry: Entry): void {
    const entries = this.#clients.get(owner);
    if (entries?.get(key) !== entry) return;
    entries.delete(key);
    this.#bytes -= bytesOf(entry);
    if (entries.size === 0) this.#clients.delete(owner);
  }

  #expire(): void {
    const before = this.nowMs() - KEPT_MS;
    for (const [owner, entries] of this.#clients) {
      for (const [key, entry] of entries) {
        if (entry.atMs > before) break;
        if (entry.answer) this.#drop(owner, key, entry);
      }
    }
  }

  /** What is under way is never dropped: it would be done twice. */
  #bound(owner: string): void {
    const entries = this.#clients.get(owner);
    if (entries && entries.size > MAX_KEYS_OF_ONE) this.#dropOldest(owner, entries);
    for (const [other, theirs] of this.#clients) {
      if (this.#clients.size <= MAX_CLIENTS && this.#bytes <= MAX_BYTES) break;
      while (this.#clients.has(other) && this.#dropOldest(other, theirs)) {}
    }
  }

  #dropOldest(owner: string, entries: Map<string, Entry>): boolean {
    for (const [key, entry] of entries) {
      if (!entry.answer) continue;
      this.#drop(owner, key, entry);
      return true;
    }
    return false;
  }
}

async function keyedBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const detail = `With an Idempotency-Key the body may have ${MAX_KEYED_BODY_BYTES} bytes: send it without one.`;
  const tooLarge = (): Problem => new Problem(413, "body_too_large", detail);
  return new Uint8Array(await readBody(request, MAX_KEYED_BODY_BYTES, tooLarge));
}

function replayed({ fingerprint, answer }: Entry, again: string): Response {
  if (fingerprint !== again) {
    const detail = "This Idempotency-Key came with another request before: take a new key for a new request.";
    throw new Problem(422, "idempotency_key_reused", detail);
  }
  if (!answer) {
    const detail = "The first request with this Idempotency-Key is still under way: ask again in a moment.";
    throw new Problem(409, "idempotency_in_progress", detail, { headers: { "retry-after": "1" } });
  }
  const response = new Response(answer.body, { status: answer.status, headers: answer.headers });
  response.headers.set("idempotency-replayed", "true");
  return response;
}
