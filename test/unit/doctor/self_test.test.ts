/** The self-test on simulated telephones, in real time: two seconds are measured in each. */
import { expect, test } from "bun:test";
import { selfTest } from "../../../src/doctor/self_test";
import { DriverEngine } from "../../../src/driver/engine";
import { Handset } from "../../../src/driver/handset";
import { loadShim } from "../../../src/driver/library";
import { eventually } from "../../support/server";
import { faults, findingOf } from "./machine";

const newEngine = async (): Promise<DriverEngine> => new DriverEngine(await loadShim(), "realtime");

test("an idle line: comes up, its blocks flow, its bell rings once", async () => {
  const findings = await selfTest({ engine: await newEngine(), line: 2, device: null, ring: true });
  expect(faults(findings)).toEqual([]);
  expect(findings.map(({ id, status }) => `${id}: ${status}`)).toEqual([
    "self_test_line: ok",
    "self_test_audio: ok",
    "self_test_loop: ok",
    "self_test_signal: skipped",
    "self_test_voltage: ok",
    "self_test_ring: ok",
  ]);
  expect(findings.every(({ channel }) => channel === 2)).toBe(true);
  expect(findingOf(findings, "self_test_ring").title).toContain("rang for 500 ms");
});

test("a lifted telephone is said, its noise is measured, and it is not rung", async () => {
  const engine = await newEngine();
  const result = selfTest({ engine, line: 1, device: null, ring: true });
  await eventually(
    () => engine.lineStats(0),
    ({ up }) => up === 1,
  );
  await new Handset(engine, 0).hook(true);
  const findings = await result;
  expect(faults(findings)).toEqual(["self_test_loop 1: warning"]);
  expect(findingOf(findings, "self_test_signal")).toMatchObject({ status: "ok" });
  expect(findingOf(findings, "self_test_ring")).toMatchObject({ status: "skipped" });
});

test("without --ring the bell stays silent, and the voltage has its norm", async () => {
  const engine = await newEngine();
  const result = selfTest({ engine, line: 1, device: null, ring: false });
  await eventually(
    () => engine.lineStats(0),
    ({ up }) => up === 1,
  );
  const phone = new Handset(engine, 0);
  await phone.voltage(20_000);
  const { bursts } = phone.state();
  const findings = await result;
  expect(bursts).toBe(0);
  expect(faults(findings)).toEqual(["self_test_voltage 1: warning"]);
  expect(findingOf(findings, "self_test_ring")).toMatchObject({ status: "skipped" });
});

test("a device that is not there: the driver's fault, with its mend", async () => {
  const findings = await selfTest({ engine: await newEngine(), line: 1, device: "/dev/dahdi/none", ring: false });
  expect(faults(findings)).toEqual(["self_test_line 1: error"]);
  expect(findings[0]?.fix).toContain("modprobe");
});
