/** Each fault of a card and its driver, alone on an otherwise healthy machine: found, nothing else is, and mended. */
import { describe, expect, test } from "bun:test";
import { type Change, faults, findingOf, findingsOf, type Machine, READ, span } from "./machine";

const FINE = "FXOKS  (EC: MG2 - INACTIVE) ";
const dahdi = (...channels: string[]): Change => ({ files: { "/proc/dahdi/1": span(...channels) } });

describe("the driver", () => {
  const unloaded = { "/sys/module/dahdi": null, "/sys/module/wctdm24xxp": null, "/proc/dahdi": null };

  test("not installed", async () => {
    const findings = await findingsOf({ files: { ...unloaded, "/lib/modules": null } });
    expect(faults(findings)).toEqual(["driver: error"]);
    expect(findingOf(findings, "driver").fix).toBe(
      "sudo apt-get install linux-headers-$(uname -r) dahdi-dkms dahdi && sudo modprobe wctdm24xxp",
    );
    expect(findingOf(findings, "holder").status).toBe("skipped");
  });

  test("built for another kernel than the one that runs", async () => {
    const findings = await findingsOf({ files: unloaded, kernel: "6.12.47+rpt-rpi-2712" });
    expect(faults(findings)).toEqual(["driver: error"]);
    const { title, detail, fix } = findingOf(findings, "driver");
    expect(title).toContain("not built for the running kernel 6.12.47+rpt-rpi-2712");
    expect(detail).toContain("6.1.0-50-arm64");
    expect(fix).toContain("sudo dkms autoinstall");
  });

  test("there, but not loaded", async () => {
    const findings = await findingsOf({ files: unloaded });
    expect(faults(findings)).toEqual(["driver: error"]);
    expect(findingOf(findings, "driver").fix).toBe("sudo modprobe wctdm24xxp");
  });

  test("the core without the card's module", async () => {
    const findings = await findingsOf({
      files: { "/sys/module/wctdm24xxp": null, "/proc/dahdi": null },
      links: { "/sys/bus/pci/devices/0000:01:00.0/driver": "" },
    });
    expect(faults(findings)).toContain("card_driver: error");
  });

  test("another driver has taken the card", async () => {
    const findings = await findingsOf({
      links: { "/sys/bus/pci/devices/0000:01:00.0/driver": "../../../bus/pci/drivers/netjet" },
    });
    expect(faults(findings)).toEqual(["card_driver: error"]);
    expect(findingOf(findings, "card_driver").fix).toContain("blacklist netjet");
  });
});

describe("the card", () => {
  const none = { "/sys/bus": null };
  test("none that is known, but channels: a warning", async () => {
    const findings = await findingsOf({ files: none });
    expect(faults(findings)).toEqual(["card: warning"]);
    expect(findingOf(findings, "card_driver").status).toBe("skipped");
  });
  test("none and no channels: an error", async () => {
    expect(faults(await findingsOf({ files: { ...none, "/proc/dahdi": null } }))).toContain("card: error");
  });
});

describe("the nodes", () => {
  test("control device gone", async () => {
    const findings = await findingsOf({ facts: { "/dev/dahdi/ctl": null } });
    expect(faults(findings)).toEqual(["device_nodes: error"]);
    expect(findingOf(findings, "device_nodes").fix).toBe(
      "sudo mkdir -p /dev/dahdi && sudo mknod -m 660 /dev/dahdi/ctl c 196 0 && sudo chgrp dialout /dev/dahdi/ctl",
    );
  });

  const forbidden = { deviceError: 13, controlError: 13, channelError: 13, zoneError: 13 };
  test("this user is not in their group", async () => {
    const findings = await findingsOf({ user: { uid: 1001, name: "eve", groups: [1001] }, probe: forbidden });
    expect(faults(findings)).toEqual(["permission: error", "tone_zone: warning"]);
    expect(findingOf(findings, "permission").fix).toBe("sudo usermod -aG dialout eve");
  });

  test("they are root's alone: a udev rule gives them a group", async () => {
    const node = { uid: 0, gid: 0, mode: 0o660 };
    const findings = await findingsOf({
      facts: { "/dev/dahdi/channel": node, "/dev/dahdi/ctl": node },
      probe: forbidden,
    });
    expect(findingOf(findings, "permission").fix).toMatch(/udev\/rules\.d.*usermod -aG dialout pi$/);
  });

  const unit = (rows: string): Machine["files"] => ({
    "/etc/systemd/system/dahdi-phone-api.service": `[Service]\nDynamicUser=yes\nLimitRTPRIO=10\n${rows}\n`,
  });
  const asterisks = { uid: 120, gid: 120, mode: 0o660 };
  const root = { uid: 0, name: "root", groups: [0] };
  const asterisk = { "/dev/dahdi/channel": asterisks, "/dev/dahdi/ctl": asterisks };

  test("the service's user is not in their group, though root asks", async () => {
    const findings = await findingsOf({ files: unit("SupplementaryGroups=dialout"), facts: asterisk, user: root });
    expect(faults(findings)).toEqual(["permission: error"]);
    expect(findingOf(findings, "permission").fix).toContain("SupplementaryGroups=asterisk");
  });

  test("a drop-in mends it", async () => {
    const dropIn = "/etc/systemd/system/dahdi-phone-api.service.d/group.conf";
    const files = {
      ...unit("SupplementaryGroups=dialout"),
      [dropIn]: "[Service]\nSupplementaryGroups=asterisk\n",
    };
    expect(faults(await findingsOf({ files, facts: asterisk, user: root }))).toEqual([]);
  });
});

describe("the channels", () => {
  test("a card whose ports have no numbers yet", async () => {
    const findings = await findingsOf({
      files: { "/proc/dahdi/1": null, "/sys/bus/dahdi_devices/devices/pci:0000:01:00.0/spantype": "" },
    });
    expect(findingOf(findings, "channel", 1).fix).toBe("sudo dahdi_span_assignments auto && sudo dahdi_cfg -vv");
  });

  test("set up as fxsks", async () => {
    const findings = await findingsOf({
      files: {
        "/proc/dahdi/1": span("FXSKS  (EC: MG2 - INACTIVE) ", FINE, FINE, FINE),
        "/etc/dahdi/system.conf": "fxsks=1  # wrong\nfxoks=2-4\n",
      },
    });
    expect(faults(findings)).toEqual(["channel 1: error"]);
    const { detail, fix } = findingOf(findings, "channel", 1);
    expect(detail).toContain("fxoks in /etc/dahdi/system.conf");
    expect(fix).toBe("sudo sed -i 's/^fxsks=1/fxoks=1/' /etc/dahdi/system.conf && sudo dahdi_cfg -vv");
  });

  test("not set up, and not named in system.conf", async () => {
    const findings = await findingsOf({
      files: { "/proc/dahdi/1": span(FINE, "", FINE, FINE), "/etc/dahdi/system.conf": "fxoks=1,3-4\n" },
    });
    expect(faults(findings)).toEqual(["channel 2: error"]);
    expect(findingOf(findings, "channel", 2).fix).toContain("echo 'fxoks=2' | sudo tee -a");
  });

  test("not set up, because dahdi_cfg has not run", async () => {
    const findings = await findingsOf(dahdi(FINE, "", FINE, FINE));
    expect(faults(findings)).toEqual(["channel 2: error"]);
    expect(findingOf(findings, "channel", 2).fix).toBe("sudo dahdi_cfg -vv");
  });

  test("an FXO port", async () => {
    const findings = await findingsOf({ probe: { feedsTelephones: false } });
    expect(faults(findings)).toEqual(["channel 1: error", "channel 2: error"]);
    expect(findingOf(findings, "channel", 1).title).toContain("wall socket");
  });

  test("an empty slot, an alarm", async () => {
    const findings = await findingsOf(dahdi("Reserved ", "FXOKS RED (EC: MG2 - INACTIVE) "));
    expect(faults(findings)).toEqual(["channel 1: error", "channel 2: warning"]);
  });

  test("not there: those that are, are listed", async () => {
    const config = { ...READ.config, dahdi: { ...READ.config.dahdi, channels: [1, 9] } };
    const findings = await findingsOf({}, { ...READ, config });
    expect(faults(findings)).toEqual(["channel 9: error"]);
    const { title, fix } = findingOf(findings, "channel", 9);
    expect(title).toContain("there are 1-4");
    expect(fix).toBe("sudo editor /etc/dahdi_phone/config.yml");
  });

  test("no tone zone", async () => {
    const without = { "/etc/dahdi/system.conf": "fxoks=1-4\n" };
    const findings = await findingsOf({ probe: { zoneError: 61, zone: null }, files: without });
    expect(faults(findings)).toEqual(["tone_zone: error"]);
    expect(findingOf(findings, "tone_zone").fix).toContain("loadzone=us");
    const named = await findingsOf({ probe: { zoneError: 61, zone: null } });
    expect(findingOf(named, "tone_zone").fix).toBe("sudo dahdi_cfg -vv");
  });

  test("no echo canceller", async () => {
    const files = {
      "/proc/dahdi/1": span("FXOKS ", "FXOKS ", FINE, FINE),
      "/etc/dahdi/system.conf": "fxoks=1-4\nloadzone=us\n",
    };
    const findings = await findingsOf({ files });
    expect(faults(findings)).toEqual(["echo_canceller: warning"]);
    expect(findingOf(findings, "echo_canceller").fix).toContain("echo 'echocanceller=mg2,1-2'");
  });
});
