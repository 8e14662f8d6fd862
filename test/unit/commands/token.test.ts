import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTokenCommand } from "../../../src/commands/token";
import { TokenFile } from "../../../src/security/token_file";

test("whoever revokes the last token is told what that opens, and nobody else is", () => {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-token-"));
  try {
    const file = new TokenFile(folder);
    const make = (name: string) =>
      runTokenCommand(
        {
          command: "token",
          action: "create",
          name,
          scope: "admin",
          lines: null,
          expiresInDays: null,
          configPath: null,
        },
        file,
        0,
      );
    const revoke = (name: string) =>
      runTokenCommand({ command: "token", action: "revoke", name, configPath: null }, file, 0).note;
    for (const name of ["one", "other"]) make(name);
    expect(revoke("one")).not.toContain("no token is left");
    expect(revoke("other")).toContain("no token is left: but for those of the configuration, everybody");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
