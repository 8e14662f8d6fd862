import { describe, expect, test } from "bun:test";
import { constants } from "node:os";
import { TELEPHONE_RATE_HZ } from "../../../src/audio/source";
import { MAX_SIMULATED_PORTS } from "../../../src/command_line";
import {
  EAR_RING_SAMPLES,
  MAX_KEYS,
  MAX_LINES,
  MAX_BURSTS as NATIVE_MAX_BURSTS,
  SAMPLE_RATE_HZ,
  Stage,
} from "../../../src/driver/abi.gen";
import { alarmNames, lineFault, signallingName } from "../../../src/driver/faults";
import { EarQuery, PressInput } from "../../../src/http/schema_simulator";
import { MAX_BURSTS } from "../../../src/line/cadence";

const { ENOENT, EACCES, EBUSY, ENXIO, ENODEV, ENOTTY, EPROTO, EINVAL } = constants.errno;
const address = { device: "/dev/dahdi/channel", channel: 3 };

describe("what the kernel says, for the owner", () => {
  test.each([
    [Stage.Open, ENOENT, "driver_missing", "modprobe"],
    [Stage.Open, EACCES, "permission_denied", "usermod"],
    [Stage.Specify, EBUSY, "channel_busy", "fuser"],
    [Stage.Specify, ENXIO, "channel_missing", "dahdi.channels"],
    [Stage.Specify, EINVAL, "channel_missing", "dahdi_cfg"],
    [Stage.Specify, ENOTTY, "not_dahdi", "dahdi.device"],
    [Stage.Signalling, EPROTO, "wrong_signalling", "fxoks=3"],
    [Stage.Removed, ENODEV, "card_removed", "back"],
    [Stage.Linear, EINVAL, "driver_error", "dmesg"],
  ])("stage %d, errno %d is %s", (stage, errno, code, word) => {
    const fault = lineFault(stage, errno, address);
    expect(fault.code).toBe(code);
    expect(`${fault.message} ${fault.fix}`).toContain(word);
  });

  test("alarms and signalling have their names of <dahdi/user.h>", () => {
    expect(alarmNames((1 << 3) | (1 << 8))).toEqual(["red", "los"]);
    expect(signallingName((1 << 12) | (1 << 5))).toBe("fxoks");
    expect(signallingName(0)).toBeNull();
  });
});

test("limits that stand on both sides of the shim are the same", () => {
  expect(MAX_BURSTS).toBe(NATIVE_MAX_BURSTS);
  expect(MAX_SIMULATED_PORTS).toBe(MAX_LINES);
  expect(TELEPHONE_RATE_HZ).toBe(SAMPLE_RATE_HZ);
  expect(PressInput.properties.digits.pattern).toContain(`{1,${MAX_KEYS}}`);
  expect((EarQuery.properties.seconds.maximum ?? 0) * SAMPLE_RATE_HZ).toBeLessThan(EAR_RING_SAMPLES - 160);
});
