/** Each fault of an installation, alone on an otherwise healthy machine: it is found, nothing else is, and mended. */
import { describe, expect, test } from "bun:test";
import { defaultConfig } from "../../../src/config/load";
import { examine } from "../../../src/doctor/doctor";
import { FINDING_IDS } from "../../../src/doctor/findings";
import { type Change, faults, findingOf, findingsOf, type Machine, machine, READ, span } from "./machine";

const FINE = "FXOKS  (EC: MG2 - INACTIVE) ";
const dahdi = (...channels: string[]): Change => ({ files: { "/proc/dahdi/1": span(...channels) } });

test("a healthy machine has no fault, and everything was looked at", async () => {
  const findings = await findingsOf();
  expect(faults(findings)).toEqual([]);
  const seen = new Set(findings.filter(({ status }) => status === "ok").map(({ id }) => id));
  expect(FINDING_IDS.filter((id) => !seen.has(id))).toEqual(
    FINDING_IDS.filter((id) => id.startsWith("self_test")),
  );
  expect(findings.every(({ fix }) => fix === null)).toBe(true);
});

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

describe("who holds a channel", () => {
  const held = (name: string, link: string): Change => ({
    files: { "/proc/dahdi/1": span("FXOKS (In use) (EC: MG2 - ACTIVE) ", FINE), "/proc/123/comm": `${name}\n` },
    links: { "/proc/123/fd/7": link },
  });

  test.each([["/dev/dahdi/1"], ["/dev/dahdi/chan/001/001"], ["/dev/dahdi/channel"]])(
    "asterisk by %s",
    async (link) => {
      const findings = await findingsOf(held("asterisk", link));
      expect(faults(findings)).toEqual(["holder 1: error"]);
      const { title, fix } = findingOf(findings, "holder", 1);
      expect(title).toBe("Channel 1 is held by asterisk (pid 123)");
      expect(fix).toBe("sudo systemctl stop asterisk");
    },
  );

  test("another program is ended by its pid", async () => {
    expect(findingOf(await findingsOf(held("cat", "/dev/dahdi/1")), "holder", 1).fix).toBe("sudo kill 123");
  });

  test("our own service is no fault", async () => {
    expect(faults(await findingsOf(held("dahdi-phone-api", "/dev/dahdi/channel")))).toEqual([]);
  });

  test("who may not see whose says so", async () => {
    const findings = await findingsOf({
      ...held("asterisk", "/dev/dahdi/1"),
      closed: ["/proc/123/fd", "/proc/1/fd"],
    });
    expect(faults(findings)).toEqual(["holder 1: error"]);
    expect(findingOf(findings, "holder", 1).detail).toContain("sudo");
    const ours = await findingsOf({ ...held("dahdi-phone-api", "/dev/dahdi/channel"), closed: ["/proc/123/fd"] });
    expect(findingOf(ours, "holder", 1)).toMatchObject({ status: "ok" });
    expect(findingOf(ours, "holder", 1).title).toContain("probably");
  });

  test("a self-test leaves a line alone that our service holds", async () => {
    const run = () => Promise.reject(new Error("the line was opened"));
    const findings = await examine({
      system: machine(held("dahdi-phone-api", "/dev/dahdi/channel")),
      read: READ,
      simulated: false,
      selfTest: { line: 1, run },
    });
    expect(findingOf(findings, "self_test_line").status).toBe("skipped");
  });
});

describe("the process", () => {
  const limits = { "/proc/self/limits": "Max realtime priority     0                    0  \n" };
  test("no real-time priority", async () => {
    const findings = await findingsOf({ files: limits });
    expect(faults(findings)).toEqual(["realtime: warning"]);
    expect(findingOf(findings, "realtime").fix).toContain("'pi - rtprio 10'");
  });
  test("root needs no limit", async () => {
    const files = { ...limits, "/proc/self/status": "CapEff:\t000001ffffffffff\n" };
    expect(faults(await findingsOf({ files }))).toEqual([]);
  });
  test("a unit without it", async () => {
    const path = "/etc/systemd/system/dahdi-phone-api.service";
    const findings = await findingsOf({
      files: { [path]: "[Service]\nDynamicUser=yes\nSupplementaryGroups=dialout\n" },
    });
    expect(faults(findings)).toEqual(["realtime: warning"]);
    expect(findingOf(findings, "realtime").fix).toContain("LimitRTPRIO=10");
  });
  test("pages larger than the library is laid out for", async () => {
    const files = { "/proc/self/smaps": "KernelPageSize:      256 kB\n" };
    expect(faults(await findingsOf({ files }))).toEqual(["page_size: error"]);
  });
});

describe("speech", () => {
  const programs = { "espeak-ng": null };
  const speech = (more: object) => ({
    ...READ,
    config: { ...READ.config, speech: { ...READ.config.speech, ...more } },
  });
  const model = { piper_model: "/opt/piper/en.onnx" };
  const file = { uid: 0, gid: 0, mode: 0o644 };
  const facts = { "/opt/piper/en.onnx": file, "/opt/piper/en.onnx.json": file };
  test("nothing speaks: no fault, and what to install", async () => {
    const findings = await findingsOf({ programs });
    expect(faults(findings)).toEqual([]);
    expect(findingOf(findings, "speech")).toMatchObject({
      status: "skipped",
      fix: "sudo apt-get install espeak-ng",
    });
    const asked = await findingsOf({ programs }, speech({ engine: "espeak-ng" }));
    expect(faults(asked)).toEqual(["speech: warning"]);
  });
  test("piper with its voice", async () => {
    const findings = await findingsOf({ facts, programs: { piper: "/usr/local/bin/piper" } }, speech(model));
    expect(faults(findings)).toEqual([]);
    expect(findingOf(findings, "speech").title).toBe("/usr/local/bin/piper and /usr/bin/espeak-ng can speak");
  });
  test("piper without its voice, its voice without piper, a program that is not there", async () => {
    const piper = { programs: { piper: "/usr/local/bin/piper" } };
    const half = { ...piper, facts: { "/opt/piper/en.onnx": file } };
    const told = async (change: Change, more: object) => {
      const findings = await findingsOf(change, speech(more));
      expect(faults(findings)).toEqual(["speech: warning"]);
      return findingOf(findings, "speech").title;
    };
    expect(await told(half, model)).toBe("/opt/piper/en.onnx.json cannot be read");
    expect(await told({ facts }, model)).toContain("piper is not installed");
    expect(await told(piper, { engine: "piper" })).toContain("names no voice");
    expect(await told({}, { espeak_ng: "/opt/espeak" })).toBe("/opt/espeak cannot be run");
  });
});

describe("the ports", () => {
  // 1F40 is 8000.
  const table = (inode: number): string =>
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
    `   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 100 0 0 10 0\n`;
  const taken = (name: string): Change => ({
    ports: { 8000: "EADDRINUSE" },
    files: { "/proc/net/tcp": table(555), "/proc/99/comm": `${name}\n` },
    links: { "/proc/99/fd/3": "socket:[555]" },
  });

  test("in use by another program", async () => {
    const findings = await findingsOf(taken("nc"));
    expect(faults(findings)).toEqual(["port_rest: error"]);
    expect(findingOf(findings, "port_rest")).toMatchObject({
      title: "REST port 8000 is in use by nc (pid 99)",
      fix: "sudo kill 99",
    });
  });
  test("in use by our own service", async () => {
    expect(faults(await findingsOf(taken("dahdi-phone-api")))).toEqual([]);
  });
  test("in use by who cannot be seen", async () => {
    const findings = await findingsOf({ ...taken("nc"), closed: ["/proc/99/fd"] });
    expect(findingOf(findings, "port_rest").detail).toContain("sudo");
  });
  test("below 1024, and no address of this machine", async () => {
    expect(faults(await findingsOf({ ports: { 8001: "EACCES" } }))).toEqual(["port_websocket: error"]);
    expect(faults(await findingsOf({ ports: { 8001: "EADDRNOTAVAIL" } }))).toEqual(["port_websocket: error"]);
  });
  test("both the same", async () => {
    const config = { ...READ.config, server: { ...READ.config.server, websocket_port: 8000 } };
    expect(faults(await findingsOf({}, { ...READ, config }))).toEqual(["port_websocket: error"]);
  });
});

test("a bad configuration is said with file, line and key, and the rest is looked at", async () => {
  const path = "/etc/dahdi_phone/config.yml";
  const problem = `${path}:3: server.rest_prot: is not known here`;
  const findings = await findingsOf({}, { config: defaultConfig(), path, problem });
  expect(faults(findings)).toEqual(["config: error"]);
  expect(findingOf(findings, "config")).toMatchObject({ title: problem, fix: `sudo editor +3 ${path}` });
  expect(findings.length).toBeGreaterThan(10);
});
