/** What a server that may be hostile answers, read strictly: HTTP/1.1, RFC 9112. */

export interface HttpHead {
  status: number;
  /** By their names in lower case; of one that stands twice, the last. */
  headers: ReadonlyMap<string, string>;
}

/** A status line and headers are no longer than this. */
export const MAX_HEAD_BYTES = 16 * 1024;
/** Answers that say only that another follows: a server may send them for ever. */
const MAX_INTERIM = 8;
const MAX_CHUNK_LINE_BYTES = 1024;
const LINE_FEED = 10;
const MAX_TRAILER_BYTES = 16 * 1024;

/** The message is half a sentence about the server, without the URL. */
export class HttpFailure extends Error {
  constructor(
    readonly code: "private" | "unreachable" | "broken" | "stopped",
    message: string,
  ) {
    super(message);
    this.name = "HttpFailure";
  }
}

const notHttp = (): HttpFailure => new HttpFailure("broken", "its answer is not HTTP");
const cutOff = (): HttpFailure => new HttpFailure("broken", "broke off");

/** Bytes as they come, taken by the line or by the piece. */
class Incoming {
  #rest: Uint8Array = new Uint8Array(0);

  constructor(private readonly pieces: AsyncIterator<Uint8Array>) {}

  /** False: there is no more. */
  async #more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.pieces.next();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }

  #take(count: number): Uint8Array {
    const piece = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  /** null: there is no more. At most `limit` of what is there. */
  async some(limit: number): Promise<Uint8Array | null> {
    return (await this.#more()) ? this.#take(limit) : null;
  }

  /** Without its end; null: there is no more at all. */
  async line(limitBytes: number): Promise<string | null> {
    let line = "";
    while (await this.#more()) {
      const end = this.#rest.indexOf(LINE_FEED);
      const part = this.#take(end < 0 ? this.#rest.length : end);
      if (line.length + part.length > limitBytes + 1) throw notHttp();
      line += Buffer.from(part).toString("latin1");
      if (end < 0) continue;
      this.#take(1);
      return line.replace(/\r$/, "");
    }
    if (line === "") return null;
    throw cutOff();
  }
}

async function readHead(incoming: Incoming): Promise<HttpHead | null> {
  const first = await incoming.line(MAX_HEAD_BYTES);
  if (first === null) return null;
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1] ?? 0);
  if (status < 100) throw notHttp();
  const headers = new Map<string, string>();
  for (let left = MAX_HEAD_BYTES - first.length; ; ) {
    const line = await incoming.line(left);
    if (line === null) throw cutOff();
    if (line === "") return { status, headers };
    left -= line.length;
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw notHttp();
    headers.set(name.toLowerCase(), value);
  }
}

async function* sized(incoming: Incoming, bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; ) {
    const piece = await incoming.some(left);
    if (piece === null) throw cutOff();
    left -= piece.length;
    yield piece;
  }
}

async function* chunked(incoming: Incoming): AsyncGenerator<Uint8Array> {
  for (;;) {
    const line = await incoming.line(MAX_CHUNK_LINE_BYTES);
    const size = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line ?? "")?.[1];
    if (size === undefined) throw line === null ? cutOff() : notHttp();
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) break;
    yield* sized(incoming, bytes);
    if ((await incoming.line(1)) !== "") throw notHttp();
  }
  for (let left = MAX_TRAILER_BYTES; left > 0; ) {
    const line = await incoming.line(left);
    if (line === null || line === "") return;
    left -= line.length + 1;
  }
}

async function* untilClosed(incoming: Incoming): AsyncGenerator<Uint8Array> {
  for (let piece = await incoming.some(Number.POSITIVE_INFINITY); piece; ) {
    yield piece;
    piece = await incoming.some(Number.POSITIVE_INFINITY);
  }
}

/** null: it was closed without an answer. lengthBytes null: not known beforehand. */
export async function readHttp(
  pieces: AsyncIterable<Uint8Array>,
): Promise<(HttpHead & { lengthBytes: number | null; body: AsyncGenerator<Uint8Array> }) | null> {
  const incoming = new Incoming(pieces[Symbol.asyncIterator]());
  let head = await readHead(incoming);
  for (let interim = 0; head && head.status < 200; interim++) {
    if (interim === MAX_INTERIM) throw notHttp();
    head = await readHead(incoming);
  }
  if (!head) return null;
  const { status, headers } = head;
  const coding = headers.get("transfer-encoding")?.toLowerCase();
  if (coding !== undefined && coding !== "chunked") throw notHttp();
  const length = headers.get("content-length");
  if (coding === undefined && length !== undefined && !/^\d{1,15}$/.test(length)) throw notHttp();
  if (status === 204 || status === 304) return { ...head, lengthBytes: 0, body: sized(incoming, 0) };
  if (coding !== undefined) return { ...head, lengthBytes: null, body: chunked(incoming) };
  if (length === undefined) return { ...head, lengthBytes: null, body: untilClosed(incoming) };
  return { ...head, lengthBytes: Number(length), body: sized(incoming, Number(length)) };
}
