/** What others have left, planted or opened where something is installed, and what is theirs when it goes. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../../src/appliance/install";
import { uninstall } from "../../../src/appliance/uninstall";
import { AS_IS, BINARY, Machine } from "./machine";
import { installed } from "./next_version";

const UNIT = "/etc/systemd/system/dahdi-phone-api.service";
const ENABLED = "/etc/systemd/system/multi-user.target.wants/dahdi-phone-api.service";
const STATE = "/var/lib/dahdi-phone-api";

describe("install", () => {
  test("takes the place of a link to a program, also of one with the same bytes, and writes through none", async () => {
    for (const text of ["version one", "somebody's"]) {
      using machine = new Machine();
      const linked = machine.program("linked", text);
      mkdirSync(join(machine.root, "usr/local/bin"), { recursive: true });
      symlinkSync(linked, join(machine.root, BINARY));
      await install(machine.host, AS_IS);
      expect(lstatSync(join(machine.root, BINARY)).isFile()).toBeTrue();
      expect(machine.text(BINARY)).toBe("version one");
      expect(machine.text("/home/linked")).toBe(text);
      expect(existsSync(join(machine.root, `${BINARY}.previous`))).toBeFalse();
    }
  });

  test("the right bytes with the wrong rights are put right, and are not what came before", async () => {
    using machine = await installed();
    for (const [path, mode] of [
      [BINARY, 0o700],
      [UNIT, 0o666],
    ] as const) {
      chmodSync(join(machine.root, path), mode);
      machine.told.length = 0;
      await install(machine.host, AS_IS);
      expect(statSync(join(machine.root, path)).mode & 0o777).toBe(path === BINARY ? 0o755 : 0o644);
      expect(machine.told.at(-1)).toBe("systemctl restart dahdi-phone-api.service");
    }
    expect(existsSync(join(machine.root, `${BINARY}.previous`))).toBeFalse();
  });

  test("not where anybody may change what root starts", async () => {
    using machine = new Machine();
    mkdirSync(join(machine.root, "etc/sysusers.d"), { recursive: true });
    chmodSync(join(machine.root, "etc/sysusers.d"), 0o777);
    await expect(install(machine.host, AS_IS)).rejects.toThrow("sudo chmod o-w /etc/sysusers.d");
    expect(machine.files()).toEqual([]);
  });

  test("a unit that the removed package has masked is enabled, and what purging it takes is said", async () => {
    using machine = new Machine();
    mkdirSync(join(machine.root, "etc/systemd/system"), { recursive: true });
    symlinkSync("/dev/null", join(machine.root, UNIT));
    machine.answers.set("dpkg-query", { code: 0, output: "Status: deinstall ok config-files\n" });
    await install(machine.host, AS_IS);
    expect(machine.link(ENABLED)).toBe(UNIT);
    expect(lstatSync(join(machine.root, UNIT)).isFile()).toBeTrue();
    expect(machine.said.join("\n")).toContain("apt purge dahdi-phone-api");
  });

  test("the token is kept where the configuration says, and that must be there", async () => {
    using machine = new Machine();
    machine.write("/etc/dahdi_phone/config.yml", "state_dir: /srv/telephone\n");
    const wanted = { listen: null, withToken: true };
    await expect(install(machine.host, wanted)).rejects.toThrow("state_dir");
    expect(machine.files()).toEqual(["/etc/dahdi_phone/config.yml"]);
    mkdirSync(join(machine.root, "srv/telephone"), { recursive: true });
    await install(machine.host, wanted);
    expect(readdirSync(join(machine.root, "srv/telephone"))).toEqual(["tokens.json"]);
    expect(existsSync(join(machine.root, STATE))).toBeFalse();
  });

  test("a token that nobody can read is not kept, and another one is made", async () => {
    using machine = new Machine();
    const wanted = { listen: "0.0.0.0", withToken: true };
    const { say } = machine.host;
    machine.host.say = (line) => !line.includes("dpa_") && say(line);
    await expect(install(machine.host, wanted)).rejects.toThrow("none is kept");
    expect(readdirSync(join(machine.root, STATE))).toEqual([]);
    machine.host.say = say;
    await install(machine.host, wanted);
    expect(machine.said.join("\n")).toMatch(/✓ token install {2}dpa_/);
  });
});

describe("uninstall --purge", () => {
  test("leaves what is beside the configuration, and takes what a restore has kept", async () => {
    using machine = await installed();
    machine.write("/etc/dahdi_phone/tls.key", "secret");
    machine.write("/etc/dahdi_phone/config.yml.before-restore", "");
    machine.write(`${STATE}.before-restore/events.db`, "");
    machine.write("/srv/recordings/1.wav", "");
    machine.write("/home/kept/1.wav", "");
    mkdirSync(join(machine.root, STATE));
    symlinkSync(join(machine.root, "home/kept"), join(machine.root, STATE, "recordings"));
    await uninstall(machine.host, true);
    expect(machine.files()).toEqual(["/etc/dahdi_phone/tls.key"]);
    expect(machine.said.at(-1)).toContain("/etc/dahdi_phone: tls.key");
    expect(machine.text("/srv/recordings/1.wav") + machine.text("/home/kept/1.wav")).toBe("");
  });

  test("does not empty a disk that is mounted in its folder, and changes nothing", async () => {
    using machine = await installed();
    machine.write("/proc/self/mounts", `/dev/sda1 ${STATE}/my\\040disk ext4 rw 0 0\n`);
    const before = machine.files();
    machine.told.length = 0;
    await expect(uninstall(machine.host, true)).rejects.toThrow(`sudo umount ${STATE}/my disk`);
    expect([machine.files(), machine.told]).toEqual([before, []]);
    rmSync(join(machine.root, "proc/self/mounts"));
    await uninstall(machine.host, true);
    expect(machine.files()).toEqual([]);
  });
});
