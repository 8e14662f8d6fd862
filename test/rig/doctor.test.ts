/**
 * The doctor on the real driver: each fault is made on purpose, found, and mended by what the doctor says. In these
 * guests everybody is root and there is no udev: "sudo" is left out of its commands.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RigTelephone, rigTelephone, startGuestServer } from "../support/backend";
import { eventually } from "../support/server";
import { CONFIG, doctor, type Finding } from "./doctor_run";
import { type Agent, RunningGuest } from "./guest";
import { GUESTS } from "./guests";
import { buildImage } from "./image";
import { measured } from "./report";
import { address, agent } from "./rig_line";

/** An emulated machine that shares its cores may stand still for longer than the card's buffers last. */
const apartFromStarving = (faults: readonly string[]): string[] =>
  faults.filter((fault) => !/^self_test_audio \d+: warning$/.test(fault));

/** Types what the doctor says. */
async function mend(at: Agent, { fix }: Finding): Promise<void> {
  if (fix === null) throw new Error("there is no mend");
  await at.sh(fix.replaceAll("sudo ", ""));
}

const useChannels = (at: Agent, ...channels: number[]): Promise<void> =>
  at.put(CONFIG, `dahdi: { channel: ${channels[0]}, channels: [${channels.join(", ")}] }\n`);

/**
 * No guest has a PCI card, and a card that is no PCI card is worth a warning. Only local spans have a canceller.
 */
const ALWAYS = address.card === "local" ? ["card: warning"] : ["card: warning", "echo_canceller: warning"];

describe("on a card that is set up", () => {
  beforeAll(() => useChannels(agent, 1, 2));

  test("nothing is wrong", async () => {
    const { code, faults, finding } = await doctor(agent);
    expect(faults).toEqual(ALWAYS);
    expect(code).toBe(0);
    expect(finding("driver").title).toContain((await agent.sh("uname -r")).trim());
    expect(finding("channel", 1)).toMatchObject({ status: "ok" });
    expect(finding("channel", 1).detail).toContain("mu-law; the telephone is on-hook");
    expect(finding("holder", 2)).toMatchObject({ status: "ok" });
    expect(finding("tone_zone")).toMatchObject({ status: "ok", title: "A tone zone is loaded (us)" });
    expect(finding("page_size").title).toContain(address.guest === "arm64-16k" ? "16 KiB" : "4 KiB");
    measured("doctor: driver", finding("driver").title.replace(/^The DAHDI driver | runs on.*$/g, ""));
  });

  test("a channel set up as fxsks", async () => {
    const before = await agent.text("/etc/dahdi/system.conf");
    // The spans themselves must not be made anew: the far end has them open.
    const apply = (row: string): Promise<string> =>
      agent.sh(`printf '${row}\\n' > /tmp/one.conf; dahdi_cfg -c /tmp/one.conf`);
    await apply("fxsks=2");
    try {
      await agent.put("/etc/dahdi/system.conf", before.replace(/^fxoks=1-/m, "fxsks=2\nfxoks=1,3-"));
      const { code, faults, finding } = await doctor(agent);
      expect(faults).toEqual(expect.arrayContaining(["channel 2: error"]));
      expect(finding("channel", 1).status).toBe("ok");
      expect(code).toBe(1);
      expect(finding("channel", 2).title).toContain("FXSKS");
      expect(finding("channel", 2).detail).toContain("fxoks");
      if (address.card === "vfxs") {
        await mend(agent, finding("channel", 2));
        expect((await doctor(agent)).faults).toEqual(ALWAYS);
      }
    } finally {
      await agent.put("/etc/dahdi/system.conf", before);
      await apply(address.card === "local" ? "fxoks=2\nechocanceller=mg2,2" : "fxoks=2");
    }
  });

  test("a channel that there is not", async () => {
    await useChannels(agent, 1, 99);
    const { faults, finding } = await doctor(agent);
    await useChannels(agent, 1, 2);
    expect(faults).toContain("channel 99: error");
    expect(finding("channel", 99).title).toContain("there are 1-");
  });

  test("a channel that another program holds", async () => {
    await agent.sh("( exec 3<>/dev/dahdi/chan/001/002; exec sleep 1000 ) </dev/null >/dev/null 2>&1 &");
    const { faults, finding } = await eventually(
      () => doctor(agent, "--self-test=2"),
      ({ faults }) => faults.includes("holder 2: error"),
    );
    expect(faults).toEqual(expect.arrayContaining(["holder 2: error", "self_test_line 2: error"]));
    expect(finding("holder", 1).status).toBe("ok");
    expect(finding("holder", 2).title).toMatch(/^Channel 2 is held by sleep \(pid \d+\)$/);
    expect(finding("self_test_line").detail).toContain("held by another program");
    await mend(agent, finding("holder", 2));
    await eventually(
      () => doctor(agent),
      ({ faults }) => faults.length === ALWAYS.length,
    );
  });

  test("our own service is no fault, and its line is left alone", async () => {
    await using _ = await startGuestServer(address, agent, { lines: 2 });
    const { code, faults, finding } = await doctor(agent, "--self-test=1");
    expect(faults).toEqual(ALWAYS);
    expect(code).toBe(0);
    expect(finding("holder", 1).title).toContain("served by the running dahdi-phone-api");
    expect(finding("port_rest").title).toContain("served by the running dahdi-phone-api");
    expect(finding("self_test_line").status).toBe("skipped");
  }, 120_000);

  test("a user without permission", async () => {
    const nodes = "/dev/dahdi/channel /dev/dahdi/ctl /dev/dahdi/pseudo";
    await agent.sh(`chown root:dialout ${nodes}; chmod 660 ${nodes}`);
    try {
      const without = await doctor(agent, "", "nobody");
      expect(without.code).toBe(1);
      expect(without.faults).toEqual(expect.arrayContaining(["permission: error", "tone_zone: warning"]));
      expect(without.finding("permission").fix).toContain("usermod -aG dialout nobody");
      // Who may not open the nodes still reads /proc/dahdi.
      expect(without.finding("channel", 1).status).toBe("ok");
      await agent.sh(`chmod 666 ${nodes}`);
      const permitted = await doctor(agent, "", "nobody");
      expect(permitted.finding("permission").status).toBe("ok");
      expect(permitted.finding("tone_zone").status).toBe("ok");
      // nobody has no limit of its own either.
      expect(permitted.finding("realtime").status).toBe("warning");
    } finally {
      await agent.sh(`chown root:root ${nodes}; chmod 600 ${nodes}`);
    }
  });

  test("the control device is gone", async () => {
    await agent.sh("mv /dev/dahdi/ctl /dev/dahdi/ctl.away");
    try {
      const { faults, finding } = await doctor(agent);
      expect(faults).toContain("device_nodes: error");
      await mend(agent, finding("device_nodes"));
      expect((await doctor(agent)).faults).toEqual(ALWAYS);
    } finally {
      await agent.sh("mv -f /dev/dahdi/ctl.away /dev/dahdi/ctl");
    }
  });

  test("a port in use", async () => {
    await agent.sh("nc -l -p 8001 </dev/null >/dev/null 2>&1 &");
    const { faults, finding } = await eventually(
      () => doctor(agent),
      ({ faults }) => faults.includes("port_websocket: error"),
    );
    expect(faults).not.toContain("port_rest: error");
    expect(finding("port_websocket").title).toMatch(/ 8001 is in use by (nc|busybox) \(pid \d+\)$/);
    await mend(agent, finding("port_websocket"));
    await eventually(
      () => doctor(agent),
      ({ faults }) => faults.length === ALWAYS.length,
    );
  });

  test("a configuration that is wrong", async () => {
    await agent.put(CONFIG, "dahdi:\n  chanels: [1]\n");
    const { code, finding } = await doctor(agent);
    await useChannels(agent, 1, 2);
    expect(code).toBe(1);
    expect(finding("config")).toMatchObject({ status: "error", fix: `sudo editor +2 ${CONFIG}` });
  });

  // Its card is taken away under the driver, as a hot-plug carrier would.
  test.if(address.card === "vfxs")("the card is taken away, and comes back not set up", async () => {
    await agent.put("/sys/kernel/debug/vfxs/card", "unplug");
    const gone = await doctor(agent);
    expect(gone.faults).toEqual(expect.arrayContaining(["card: error", "channel 1: error", "channel 2: error"]));
    await agent.put("/sys/kernel/debug/vfxs/card", "plug");
    const back = await eventually(
      () => doctor(agent),
      ({ faults }) => !faults.includes("card: error"),
    );
    expect(back.finding("channel", 1).title).toContain("is not set up");
    expect(back.finding("channel", 1).fix).toBe("sudo dahdi_cfg -vv");
    await mend(agent, back.finding("channel", 1));
    expect((await doctor(agent)).faults).toEqual(ALWAYS);
  });
});

describe("the self-test", () => {
  const line = 5;
  const phone: RigTelephone = rigTelephone(agent, address.card, line, { rest: "" });
  beforeAll(() => useChannels(agent, line));

  test("of an idle line: blocks, voltage, one burst of the bell", async () => {
    await phone.clear("bell");
    const { faults, finding } = await doctor(agent, `--self-test=${line} --ring`);
    expect(apartFromStarving(faults)).toEqual(ALWAYS);
    measured("doctor: the self-test's blocks", finding("self_test_audio").title);
    expect(finding("self_test_loop").title).toContain("on-hook");
    expect(finding("self_test_voltage").status).toBe(address.card === "vfxs" ? "ok" : "skipped");
    const [on, off, ...more] = await eventually(
      () => phone.edges("bell"),
      (edges) => edges.at(-1)?.on === false,
    );
    expect(more).toEqual([]);
    const burstMs = ((off?.ns ?? 0) - (on?.ns ?? 0)) / 1e6;
    measured("doctor: the self-test's burst", burstMs, "ms");
    expect(Math.abs(burstMs - 500)).toBeLessThanOrEqual(20);
  });

  test("without --ring leaves the bell silent", async () => {
    await phone.clear("bell");
    const { finding } = await doctor(agent, `--self-test=${line}`);
    expect(finding("self_test_ring").status).toBe("skipped");
    expect(await phone.edges("bell")).toEqual([]);
  });

  test("of a lifted telephone says so and does not ring it", async () => {
    await phone.hookScript("1:200");
    try {
      const { faults, finding } = await doctor(agent, `--self-test=${line} --ring`);
      expect(faults).toContain(`self_test_loop ${line}: warning`);
      expect(finding("channel", line).detail).toContain("lifted");
      expect(finding("self_test_signal").status).toBe("ok");
      expect(finding("self_test_ring").status).toBe("skipped");
    } finally {
      await phone.hookScript("0:900");
    }
  });
});

/** A second guest, in which nothing was done yet: an installation from its first minute, mended step by step. */
test.if(address.card === "vfxs")(
  "a fresh machine: no driver, then no set-up and no tone zone, then all is well",
  async () => {
    const guest = GUESTS.find(({ name }) => name === address.guest);
    if (!guest) throw new Error(`no guest ${address.guest}`);
    await using fresh = await RunningGuest.boot(guest, buildImage(guest), `${guest.name}/fresh`);
    const { agent: at } = fresh;
    await useChannels(at, 1, 2);

    const nothing = await doctor(at);
    expect(nothing.code).toBe(1);
    expect(nothing.faults).toEqual(["card: error", "driver: error"]);
    expect(nothing.finding("driver").fix).toContain("modprobe");
    expect(nothing.finding("channel").status).toBe("skipped");

    // modprobe knows nothing of the rig's modules.
    await at.sh("cd /modules && insmod dahdi.ko auto_assign_spans=1 && insmod vfxs.ko ports=4");
    await at.sh("rm -f /etc/dahdi/system.conf");
    const bare = await doctor(at);
    expect(bare.faults).toEqual(
      expect.arrayContaining(["tone_zone: error", "channel 1: error", "channel 2: error"]),
    );
    expect(bare.finding("channel", 1).title).toContain("is not set up");
    expect((await at.try(`dahdi-phone-api doctor --config=${CONFIG}`)).output).toContain("✗ tone zone");

    await mend(at, bare.finding("tone_zone"));
    const zoned = await doctor(at, "--self-test=1");
    expect(zoned.faults).toEqual(
      expect.arrayContaining(["channel 1: error", "channel 2: error", "self_test_line 1: error"]),
    );
    expect(zoned.finding("tone_zone").status).toBe("ok");

    await mend(at, zoned.finding("channel", 1));
    await mend(at, zoned.finding("channel", 2));
    const well = await doctor(at, "--self-test=1 --ring");
    expect(apartFromStarving(well.faults)).toEqual(ALWAYS);
    expect(well.code).toBe(0);
    await at.sh("cd /modules && insmod dahdi_echocan_mg2.ko");
    await mend(at, well.finding("echo_canceller"));
    expect((await doctor(at)).faults).toEqual(["card: warning"]);
  },
  240_000,
);

afterAll(() => agent.sh(`rm -f ${CONFIG}`));
