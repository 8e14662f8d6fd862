import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../../src/appliance/install";
import { uninstall } from "../../../src/appliance/uninstall";
import { defaultConfig, loadConfig } from "../../../src/config/load";
import { tokenDigest } from "../../../src/security/token";
import { AS_IS, BINARY, Machine } from "./machine";

const OURS = [
  "/etc/dahdi_phone/config.yml",
  "/etc/systemd/system/dahdi-phone-api.service",
  "/etc/systemd/system/multi-user.target.wants/dahdi-phone-api.service",
  "/etc/sysusers.d/dahdi-phone-api.conf",
  "/etc/tmpfiles.d/dahdi-phone-api.conf",
  "/etc/udev/rules.d/70-dahdi-phone-api.rules",
  BINARY,
];

describe("install", () => {
  test("puts its files, tells systemd, and says where to look", async () => {
    using machine = new Machine();
    await install(machine.host, AS_IS);
    expect(machine.files()).toEqual(OURS);
    expect(machine.text(BINARY)).toBe("version one");
    expect(statSync(join(machine.root, BINARY)).mode & 0o777).toBe(0o755);
    expect(statSync(join(machine.root, "etc/dahdi_phone/config.yml")).mode & 0o777).toBe(0o660);
    expect(machine.link(OURS[2] as string)).toBe(OURS[1] as string);
    expect(machine.told).toEqual([
      "systemd-sysusers /etc/sysusers.d/dahdi-phone-api.conf",
      "systemd-tmpfiles --create /etc/tmpfiles.d/dahdi-phone-api.conf",
      "udevadm control --reload",
      "udevadm trigger --action=add --settle --subsystem-match=dahdi --subsystem-match=dahdi_channels --subsystem-match=dahdi_devices",
      "systemctl daemon-reload",
      "systemctl restart dahdi-phone-api.service",
    ]);
    expect(machine.said.at(-1)).toContain("http://127.0.0.1:8000/docs");
  });

  test("a second time changes nothing and says so", async () => {
    using machine = new Machine();
    await install(machine.host, AS_IS);
    const before = machine.files().map((path) => lstatSync(join(machine.root, path)).ino);
    machine.told.length = 0;
    machine.said.length = 0;
    await install(machine.host, AS_IS);
    expect(machine.told).toEqual([]);
    expect(
      machine.said.slice(0, -1).every((line) => line.startsWith("·") && line.includes("unchanged")),
    ).toBeTrue();
    expect(machine.files().map((path) => lstatSync(join(machine.root, path)).ino)).toEqual(before);
  });

  test("starts a service that stands, or runs what was there before", async () => {
    using machine = new Machine();
    await install(machine.host, AS_IS);
    const firstTime = [...machine.told];
    for (const change of [
      () => {
        machine.active = false;
      },
      () => machine.renamedUnderIt(`${BINARY} (deleted)`),
    ]) {
      change();
      machine.told.length = 0;
      await install(machine.host, AS_IS);
      // All of it, for a first time that was broken off.
      expect(machine.told).toEqual(firstTime);
    }
  });

  test("keeps the program that it replaces; a service that its owner disabled stays disabled", async () => {
    using machine = new Machine();
    await install(machine.host, AS_IS);
    const link = join(machine.root, OURS[2] as string);
    rmSync(link);
    machine.host.executable = machine.program("newer", "version two");
    await install(machine.host, AS_IS);
    expect(machine.text(BINARY)).toBe("version two");
    expect(machine.text(`${BINARY}.previous`)).toBe("version one");
    expect(machine.files()).not.toContain(OURS[2] as string);
  });

  test("its configuration says nothing but the defaults", async () => {
    using machine = new Machine();
    await install(machine.host, AS_IS);
    const path = join(machine.root, "etc/dahdi_phone/config.yml");
    const loaded = await loadConfig(path, {}, { host: null, restPort: null, websocketPort: null });
    expect(loaded.config).toEqual(defaultConfig());
  });

  test("what lies where a file is made first is not followed", async () => {
    using machine = new Machine();
    machine.write("/etc/shadow", "secret");
    machine.write("/etc/dahdi_phone/x", "");
    symlinkSync(join(machine.root, "etc/shadow"), join(machine.root, "etc/dahdi_phone/config.yml.new"));
    await install(machine.host, AS_IS);
    expect(machine.text("/etc/shadow")).toBe("secret");
  });

  test("--listen is written into what is there, comments and all", async () => {
    using machine = new Machine();
    machine.write("/etc/dahdi_phone/config.yml", "# mine\nserver:\n  rest_port: 8080 # not 8000\n");
    await install(machine.host, { ...AS_IS, listen: "::1" });
    expect(machine.text("/etc/dahdi_phone/config.yml")).toBe(
      "# mine\nserver:\n  rest_port: 8080 # not 8000\n  host: ::1\n",
    );
    expect(machine.said.at(-1)).toContain("http://[::1]:8080/docs");
  });

  test("--with-token makes one, shows it once, and with it any address is taken", async () => {
    using machine = new Machine();
    const wanted = { listen: "0.0.0.0", withToken: true };
    await install(machine.host, wanted);
    const [, secret] = /(dpa_\S+)/.exec(machine.said.join("\n")) ?? [];
    const kept = machine.text("/var/lib/dahdi-phone-api/tokens.json");
    expect(kept).toContain(tokenDigest(secret as string));
    expect(kept).toContain('"admin"');
    machine.said.length = 0;
    await install(machine.host, wanted);
    expect(machine.said.join("\n")).not.toContain("✓");
    expect(machine.text("/var/lib/dahdi-phone-api/tokens.json")).toBe(kept);
    // And from now on also without the option.
    await install(machine.host, AS_IS);
  });

  test.each([
    ["a configuration that is wrong", null, "server:\n  prot: 1\n", "/etc/dahdi_phone/config.yml:2: server.prot"],
    ["an address that is open to everybody", "0.0.0.0", "", "anybody could use the telephone"],
  ])("%s stops it before anything is written", async (_, listen, text, message) => {
    using machine = new Machine();
    machine.write("/etc/dahdi_phone/config.yml", text);
    await expect(install(machine.host, { ...AS_IS, listen })).rejects.toThrow(message);
    expect(machine.files()).toEqual(["/etc/dahdi_phone/config.yml"]);
    expect(machine.text("/etc/dahdi_phone/config.yml")).toBe(text);
    expect(machine.told).toEqual([]);
  });

  test("says why it cannot: not root, no systemd, Debian's package, no executable", async () => {
    using machine = new Machine();
    await expect(install({ ...machine.host, uid: 1000 }, AS_IS)).rejects.toThrow("sudo dahdi-phone-api install");
    await expect(install({ ...machine.host, executable: null }, AS_IS)).rejects.toThrow("make dist");
    machine.write("/usr/lib/systemd/system/dahdi-phone-api.service", "");
    await expect(install(machine.host, AS_IS)).rejects.toThrow("sudo apt install");
    using bare = new Machine();
    rmSync(join(bare.root, "run"), { recursive: true });
    await expect(install(bare.host, AS_IS)).rejects.toThrow("systemd does not run here");
    expect(bare.files()).toEqual([]);
  });

  test("a service that does not come up, or falls again, is told with its journal", async () => {
    using machine = new Machine();
    machine.answers.set("journalctl", { code: 0, output: "port 8000 is in use\n" });
    machine.answers.set("systemctl restart", { code: 1, output: "" });
    await expect(install(machine.host, AS_IS)).rejects.toThrow("port 8000 is in use");
    machine.answers.delete("systemctl restart");
    machine.restarts = 1;
    await expect(install(machine.host, AS_IS)).rejects.toThrow("port 8000 is in use");
  });

  test("into a folder for another machine it tells no systemd", async () => {
    using machine = new Machine();
    rmSync(join(machine.root, "run"), { recursive: true });
    await install({ ...machine.host, live: false, uid: 1000 }, AS_IS);
    expect(machine.files()).toEqual(OURS);
    expect(machine.told).toEqual([]);
  });
});

describe("uninstall", () => {
  const EVENTS = "/var/lib/dahdi-phone-api/events.db";

  test("removes what install put there, and keeps what is the owner's", async () => {
    using machine = new Machine();
    await install(machine.host, AS_IS);
    machine.write(EVENTS, "");
    machine.told.length = 0;
    await uninstall(machine.host, false);
    expect(machine.files()).toEqual(["/etc/dahdi_phone/config.yml", EVENTS]);
    expect(machine.told).toEqual([
      "systemctl stop dahdi-phone-api.service",
      "systemctl daemon-reload",
      "systemctl reset-failed dahdi-phone-api.service",
      "udevadm control --reload",
      "udevadm trigger --action=add --settle --subsystem-match=dahdi --subsystem-match=dahdi_channels --subsystem-match=dahdi_devices",
    ]);
    expect(machine.said.at(-1)).toContain("/var/lib/dahdi-phone-api");
    expect(existsSync(join(machine.root, "etc/sysusers.d"))).toBeFalse();
    expect(existsSync(join(machine.root, "etc/udev/rules.d"))).toBeTrue();
  });

  test("--purge leaves nothing, not even the user", async () => {
    using machine = new Machine();
    await install(machine.host, AS_IS);
    machine.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\ndahdi-phone-api:x:999:999::/:/usr/sbin/nologin\n");
    machine.write(EVENTS, "");
    machine.write("/etc/systemd/system/dahdi-phone-api.service.d/group.conf", "");
    await uninstall(machine.host, true);
    expect(machine.files()).toEqual(["/etc/passwd"]);
    expect(machine.told.at(-1)).toBe("userdel dahdi-phone-api");
    machine.said.length = 0;
    machine.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    await uninstall(machine.host, true);
    expect(machine.said).toEqual(["· nothing of it is here"]);
  });
});
