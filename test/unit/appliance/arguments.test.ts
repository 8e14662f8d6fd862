import { expect, test } from "bun:test";
import { applianceCommand } from "../../../src/appliance/arguments";
import { UsageError } from "../../../src/command_line";

test("the appliance's commands", () => {
  expect(applianceCommand(["serve"])).toBeNull();
  expect(applianceCommand([])).toBeNull();
  expect(applianceCommand(["install"])).toEqual({
    command: "install",
    root: "",
    listen: null,
    withToken: false,
    help: false,
  });
  expect(applianceCommand(["install", "--root=/mnt/", "--with-token", "--listen", "::1"])).toMatchObject({
    root: "/mnt",
    listen: "::1",
  });
  expect(applianceCommand(["uninstall", "--purge"])).toMatchObject({ command: "uninstall", purge: true });
  expect(applianceCommand(["upgrade", "./new"])).toMatchObject({ file: "./new", rollback: false });
  expect(applianceCommand(["upgrade", "-h"])).toMatchObject({ help: true });
});

test.each([
  [["install", "--bogus"], "--bogus"],
  [["install", "file"], "file"],
  [["install", "--listen="], "--listen needs a value"],
  [["install", "--root=here"], "begins with /"],
  [["upgrade", "a", "b"], "one FILE"],
  [["upgrade", "--rollback", "a"], "one FILE"],
])("%p is refused in one line", (words, message) => {
  expect(() => applianceCommand(words)).toThrow(UsageError);
  expect(() => applianceCommand(words)).toThrow(message);
  expect(() => applianceCommand(words)).toThrow(/^[^\n]*$/);
});
