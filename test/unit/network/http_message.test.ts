import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { HttpFailure, MAX_HEAD_BYTES, readHttp } from "../../../src/network/http_message";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

/** As a connection gives it: in pieces of these sizes, the rest at once. */
async function* pieces(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes(text.slice(at, at + size));
    at += size;
  }
  if (at < text.length) yield bytes(text.slice(at));
}

async function read(text: string, sizes: readonly number[] = []): Promise<string> {
  try {
    const answer = await readHttp(pieces(text, sizes));
    if (!answer) return "nothing";
    const parts: Uint8Array[] = [];
    for await (const part of answer.body) parts.push(part);
    return `${answer.status} ${answer.lengthBytes} ${Buffer.concat(parts).toString("latin1")}`;
  } catch (error) {
    if (error instanceof HttpFailure) return error.message;
    throw error;
  }
}

const OK = "HTTP/1.1 200 OK\r\n";

describe("an answer of HTTP", () => {
  const cases: [string, string, string][] = [
    [
      "after eight that are none yet",
      `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(8)}${OK}\r\nhello`,
      "200 null hello",
    ],
    ["that never comes", `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(9)}${OK}\r\nhello`, "its answer is not HTTP"],
    ["with a length", `${OK}Content-Length: 5\r\n\r\nhelloEXTRA`, "200 5 hello"],
    ["to the end of the connection", `${OK}\r\nhello`, "200 null hello"],
    [
      "in chunks",
      `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\nrest`,
      "200 null hello",
    ],
    ["with trailers", `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n`, "200 null hi"],
    [
      "after early hints",
      `HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.0 404 No\r\ncontent-length:0\r\n\r\n`,
      "404 0 ",
    ],
    ["without a body", "HTTP/1.1 204 No Content\r\n\r\n", "204 0 "],
    ["with bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 2\n\nhi", "200 2 hi"],
    [
      "chunked whatever length it says",
      `${OK}content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      "200 null ",
    ],
    ["of nothing", "", "nothing"],
  ];
  for (const [name, text, expected] of cases) {
    test(name, async () => {
      expect(await read(text)).toBe(expected);
    });
  }
  const broken: [string, string, string][] = [
    ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "its answer is not HTTP"],
    ["HTTP/2's preface", "HTTP/2 200\r\n\r\n", "its answer is not HTTP"],
    ["a negative length", `${OK}content-length: -5\r\n\r\nhello`, "its answer is not HTTP"],
    ["a length that is no number", `${OK}content-length: 5, 6\r\n\r\nhello`, "its answer is not HTTP"],
    ["a negative chunk", `${OK}transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n`, "its answer is not HTTP"],
    [
      "a chunk longer than it says",
      `${OK}transfer-encoding: chunked\r\n\r\n2\r\nhello\r\n`,
      "its answer is not HTTP",
    ],
    ["another coding", `${OK}transfer-encoding: gzip, chunked\r\n\r\n`, "its answer is not HTTP"],
    ["a header without a colon", `${OK}hello\r\n\r\n`, "its answer is not HTTP"],
    ["an endless head", `${OK}a: ${"x".repeat(2 * MAX_HEAD_BYTES)}`, "its answer is not HTTP"],
    ["many headers", OK + "a: b\r\n".repeat(MAX_HEAD_BYTES), "its answer is not HTTP"],
    ["cut off in its head", `${OK}content-le`, "broke off"],
    ["cut off in its body", `${OK}content-length: 5\r\n\r\nhell`, "broke off"],
    ["cut off in a chunk", `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhel`, "broke off"],
    ["cut off before the last chunk", `${OK}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n`, "broke off"],
  ];
  for (const [name, text, expected] of broken) {
    test(`that is ${name}, is refused`, async () => {
      expect(await read(text)).toBe(expected);
    });
  }

  test("is the same however it is cut into pieces", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...cases, ...broken.slice(0, 7)),
        sizes,
        async ([, text, expected], cuts) => {
          expect(await read(text, cuts)).toBe(expected);
        },
      ),
    );
  });

  test("of any bytes ends", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("", OK, `${OK}transfer-encoding: chunked\r\n\r\n`),
        fc.string({ unit: "binary" }),
        async (head, tail) => {
          expect(await read(head + tail)).toBeString();
        },
      ),
    );
  });
});
