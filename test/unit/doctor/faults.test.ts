/** Each fault of an installation, alone on an otherwise healthy machine: it is found, nothing else is, and mended. */
import { describe, expect, test } from "bun:test";
import { defaultConfig } from "../../../src/config/load";
import { examine } from "../../../src/doctor/doctor";
import { FINDING_IDS } from "../../../src/doctor/findings";
import { type Change, faults, findingOf, findingsOf, machine, READ, span } from "./machine";

const FINE = "FXOKS  (EC: MG2 - INACTIVE) ";
test("a healthy machine has no fault, and everything was looked at", async () => {
  const findings = await findingsOf();
  expect(faults(findings)).toEqual([]);
  const seen = new Set(findings.filter(({ status }) => status === "ok").map(({ id }) => id));
  expect(FINDING_IDS.filter((id) => !seen.has(id))).toEqual(
    FINDING_IDS.filter((id) => id.startsWith("self_test")),
  );
  expect(findings.every(({ fix }) => fix === null)).toBe(true);
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
