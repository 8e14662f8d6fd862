/** What the doctor reads of the driver's, dahdi_cfg's and systemd's own texts. */
import { describe, expect, test } from "bun:test";
import { cardOf } from "../../../src/doctor/cards";
import { error, ok, skipped, warning } from "../../../src/doctor/findings";
import { listeningInodes } from "../../../src/doctor/ports";
import { jsonReport, textReport } from "../../../src/doctor/report";
import { serviceUnit } from "../../../src/doctor/service";
import { parseSpan, ranges } from "../../../src/doctor/spans";
import { changeKey, confRows, signallingRow } from "../../../src/doctor/system_conf";
import { machine } from "./machine";

describe("/proc/dahdi", () => {
  // As DAHDI 2.11 prints it on kernel 6.1.
  const text =
    "Span 2: DYN/loc/1:0 \"Dynamic 'loc' span at '1:0'\" (MASTER) RED \n" +
    "\tIRQ misses: 3\n\n" +
    "\t  13 DYN/loc/1:0/1 FXOKS (In use) RED (EC: MG2 - ACTIVE) \n" +
    "\t  14 DYN/loc/1:0/2 FXSKS \n" +
    "\t  15 DYN/loc/1:0/3 \n" +
    "\t  16 DYN/loc/1:0/4 Reserved \n";

  test("is understood", () => {
    const channels = parseSpan(text);
    expect(channels.map(({ channel, place, signalling }) => [channel, place, signalling])).toEqual([
      [13, 1, "FXOKS"],
      [14, 2, "FXSKS"],
      [15, 3, null],
      [16, 4, null],
    ]);
    expect(channels[0]).toMatchObject({
      name: "DYN/loc/1:0/1",
      span: 2,
      inUse: true,
      alarms: ["RED"],
      echoCanceller: "MG2",
    });
    expect(channels[1]).toMatchObject({ inUse: false, echoCanceller: null, reserved: false });
    expect(channels[3]?.reserved).toBe(true);
  });

  test("a description cannot pass for an alarm, an empty text is no channel", () => {
    expect(parseSpan('Span 1: X/0 "RED card" \n\n\t   1 X/0/0 FXOKS \n')[0]?.alarms).toEqual([]);
    expect(parseSpan("")).toEqual([]);
  });

  test("channels are listed as people write them", () => {
    expect(ranges([1, 2, 3, 7, 9, 10])).toBe("1-3, 7, 9-10");
    expect(ranges([])).toBe("");
  });
});

describe("system.conf", () => {
  const conf = (text: string) => machine({ files: { "/etc/dahdi/system.conf": text } });

  test("rows, comments, lists and ranges", () => {
    const rows = confRows(conf("# fxoks=9\nfxoks = 1-3,5 ; mine\nechocanceller=mg2,1-2\nloadzone=us\n"));
    expect(rows.map(({ key, channels }) => [key, channels])).toEqual([
      ["fxoks", [1, 2, 3, 5]],
      ["echocanceller", [1, 2]],
      ["loadzone", []],
    ]);
  });

  test("an echo canceller's row is no signalling; a silly range ends", () => {
    expect(signallingRow(conf("echocanceller=mg2,1\n"), 1)).toBeNull();
    expect(confRows(conf("fxoks=1-999999999\n"))[0]?.channels.length).toBeLessThanOrEqual(1024);
    expect(confRows(conf("fxoks=5-1\n"))[0]?.channels).toEqual([]);
  });

  test("the mending command takes the row as it stands", () => {
    const row = signallingRow(conf("fxsks = 1-4,7\n"), 7);
    if (!row) throw new Error("no row");
    expect(changeKey(row, "fxoks")).toContain("'s/^fxsks = 1-4,7/fxoks = 1-4,7/'");
  });
});

describe("PCI numbers", () => {
  test.each([
    [0xd161, 0x8005, 0, "wctdm24xxp"],
    [0xd161, 0x8010, 0, "wcaxx"],
    [0xe159, 0x0001, 0xb119, "wctdm"],
    [0xe159, 0x0001, 0x9519, "opvxa1200"],
  ])("%p:%p of %p is driven by %p", (vendor, device, subsystem, module) => {
    expect(cardOf(vendor, device, subsystem)).toMatchObject({ kind: "analog", card: { module } });
  });
  test.each([
    [0xe159, 0x0001, 0x8085],
    [0xd161, 0x0410, 0],
    [0x1b74, 0x0115, 0],
  ])("%p:%p of %p is a card without telephones", (vendor, device, subsystem) => {
    expect(cardOf(vendor, device, subsystem)?.kind).toBe("other");
  });
  test("anything else is none", () => expect(cardOf(0x8086, 0x1000, 0)).toBeNull());
});

describe("the unit", () => {
  const path = "/etc/systemd/system/dahdi-phone-api.service";
  test("users, groups and limits", () => {
    const unit = (text: string) => serviceUnit(machine({ files: { [path]: text } }));
    expect(unit("User=phone\nGroup=g\nSupplementaryGroups=dialout audio\nLimitRTPRIO=10:20\n")).toMatchObject({
      user: "phone",
      groups: ["g", "dialout", "audio"],
      realtimePriority: 10,
    });
    expect(unit("DynamicUser=yes\nLimitRTPRIO=infinity\n")).toMatchObject({
      user: "dahdi-phone-api",
      realtimePriority: Number.POSITIVE_INFINITY,
    });
    expect(unit("[Service]\nSupplementaryGroups=a\nSupplementaryGroups=\n")).toMatchObject({
      user: null,
      groups: [],
      realtimePriority: null,
    });
    expect(serviceUnit(machine())).toBeNull();
  });
  test("the one that ships with us is understood, and gives all that is asked for", async () => {
    const text = await Bun.file(`${import.meta.dir}/../../../systemd/dahdi-phone-api.service`).text();
    const unit = serviceUnit(machine({ files: { [path]: text } }));
    expect(unit).toMatchObject({ user: "dahdi-phone-api", groups: ["dialout"], realtimePriority: 10 });
  });
});

test("listening sockets of a port, IPv4 and IPv6, and no connections", () => {
  const rows = [
    "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 11 1",
    "   1: 0100007F:1F40 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 12 1",
    "   2: 00000000000000000000000001000000:1F40 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 13 1",
    "   3: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 14 1",
  ];
  expect(listeningInodes(rows.join("\n"), 8000)).toEqual(["11", "13"]);
});

describe("the report", () => {
  const findings = [
    ok("config", "right"),
    warning("channel", "has an alarm", { channel: 3, detail: "It is red.", fix: "sudo dmesg" }),
    error("driver", "not loaded", { fix: "sudo modprobe wctdm" }),
    skipped("card_driver", "no card"),
  ];

  test("is text with marks, and the command alone on its row", () => {
    const text = textReport("1.2.3", findings, false);
    expect(text).toContain("✓ config");
    expect(text).toContain("! channel 3");
    expect(text).toContain("✗ driver");
    expect(text).toContain("– card driver");
    expect(text.split("\n").map((row) => row.trim())).toContain("sudo modprobe wctdm");
    expect(text).toContain("1 ok, 1 warning, 1 error, 1 skipped.");
    expect(text).not.toContain("\x1b");
  });

  test("has colours when asked", () => expect(textReport("1", findings, true)).toContain("\x1b[31m✗"));

  test("is JSON for programs", () => {
    const report = JSON.parse(jsonReport("1.2.3", findings));
    expect(report).toMatchObject({
      version: "1.2.3",
      summary: { ok: 1, warnings: 1, errors: 1, skipped: 1 },
    });
    expect(report.findings[1]).toEqual({
      id: "channel",
      status: "warning",
      channel: 3,
      title: "has an alarm",
      detail: "It is red.",
      fix: "sudo dmesg",
    });
  });
});
