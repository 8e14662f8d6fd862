/** For one test file: the telephones of one server, and for each test a line that no other uses. */
import { afterAll, beforeAll, expect } from "bun:test";
import { startTelephones, type Telephones } from "./backend";
import type { Answer, Json, Telephone } from "./client";
import type { RunningServer } from "./server";

export interface FreshLine {
  line: number;
  url: string;
  phone: Telephone;
}

export interface SharedTelephones {
  readonly server: RunningServer;
  telephone(line: number): Telephone;
  freshLine(): FreshLine;
}

/** kept: lines at the beginning that tests name themselves. */
export function sharedTelephones(lines: number, kept = 0): SharedTelephones {
  let phones: Telephones;
  beforeAll(async () => {
    phones = await startTelephones(lines);
  }, 120_000);
  afterAll(async () => {
    await phones.server.stop();
  });
  let last = kept;
  return {
    get server() {
      return phones.server;
    },
    telephone: (line) => phones.telephone(line),
    freshLine: () => {
      const line = ++last;
      return { line, url: `${phones.server.rest}/lines/${line}`, phone: phones.telephone(line) };
    },
  };
}

/** It is a problem of this status and code, and tells nothing of the source; returns its body. */
export function refused({ status, headers, body }: Answer, expected: number, code: string): Json {
  expect({ status, code: body.code }).toEqual({ status: expected, code });
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body.status).toBe(expected);
  for (const field of ["type", "title", "detail"]) expect(typeof body[field]).toBe("string");
  expect(JSON.stringify(body)).not.toContain("/src/");
  return body;
}
