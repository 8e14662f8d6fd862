import { expect, test } from "bun:test";
import { byteRange } from "../../../src/http/byte_range";

test.each([
  [null, null],
  ["bytes=0-99", { from: 0, to: 100 }],
  ["bytes=0-", { from: 0, to: 1000 }],
  ["bytes=990-2000", { from: 990, to: 1000 }],
  ["bytes=-10", { from: 990, to: 1000 }],
  ["bytes=-2000", { from: 0, to: 1000 }],
  ["bytes = 5 - 5", { from: 5, to: 6 }],
  ["bytes=1000-", "outside"],
  ["bytes=-0", "outside"],
  // Not understood, and so the whole file: RFC 9110, 14.2.
  ["bytes=9-5", null],
  ["bytes=-", null],
  ["bytes=0-1,5-6", null],
  ["bytes=0x10-", null],
  ["pages=1-2", null],
  ["bytes=99999999999999999999-", null],
] as const)("%s of 1000 bytes", (header, range) => {
  expect(byteRange(header, 1000)).toEqual(range);
});

test("of an empty file there is no range", () => {
  expect(byteRange("bytes=0-", 0)).toBe("outside");
  expect(byteRange("bytes=-5", 0)).toBe("outside");
});
