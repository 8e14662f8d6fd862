import { expect, test } from "bun:test";
import { toProblem } from "../../../src/http/problem";

test("a process that may open nothing more says so, and that it may be otherwise in a moment", () => {
  const error = Object.assign(new Error("open '/var/lib/x'"), { code: "EMFILE" });
  const problem = toProblem(error);
  expect([problem?.status, problem?.code, problem?.response().headers.get("retry-after")]).toEqual([
    503,
    "too_many_open_files",
    "1",
  ]);
  expect(problem?.message).not.toContain("/var");
  for (const other of [new Error("defect"), null, "text", { code: "EIO" }]) expect(toProblem(other)).toBeNull();
});
