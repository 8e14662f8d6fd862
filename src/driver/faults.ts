/** What the kernel's errno means to the owner of a telephone, and what he types to mend it. */
import { constants } from "node:os";
import type { LineFault } from "../line/state";
import { Stage } from "./abi.gen";

const { ENOENT, EACCES, EPERM, ENXIO, ENODEV, EBUSY, EINVAL, ENOTTY } = constants.errno;

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
/** "EBUSY", or "errno 500" for what libc has no name for. */
export const errnoName = (errno: number): string => errnoNames.get(errno) ?? `errno ${errno}`;

export interface LineAddress {
  device: string | null;
  channel: number;
}

export function lineFault(stage: number, errno: number, address: LineAddress): LineFault {
  const { channel } = address;
  const device = address.device ?? "the simulated card";
  if (stage === Stage.Open) {
    if (errno === EACCES || errno === EPERM) {
      return {
        code: "permission_denied",
        message: `This user may not open ${device}.`,
        fix: "sudo dahdi-phone-api install makes a service that may: its udev rule gives /dev/dahdi to the group dialout. Another user: sudo usermod -aG the group that ls -l /dev/dahdi shows, and log in anew.",
      };
    }
    if (errno === ENOENT || errno === ENXIO || errno === ENODEV) {
      return {
        code: "driver_missing",
        message: `${device} does not exist: the DAHDI driver is not loaded.`,
        fix: "Load the card's driver and configure it: sudo modprobe wctdm24xxp (or your card's module), then sudo dahdi_cfg -vv. Without a card, start with --simulate.",
      };
    }
  }
  if (errno === EBUSY && (stage === Stage.Open || stage === Stage.Specify)) {
    return {
      code: "channel_busy",
      message: `Channel ${channel} is held by another program.`,
      fix: "Find it with sudo fuser -v /dev/dahdi/* and stop it (often Asterisk: sudo systemctl stop asterisk).",
    };
  }
  // EINVAL before dahdi_cfg has run: seen on the real driver, 2.11 on kernel 6.1.
  if (stage === Stage.Specify && (errno === ENXIO || errno === ENODEV || errno === EINVAL)) {
    return {
      code: "channel_missing",
      message: `The driver has no channel ${channel}.`,
      fix: "Give the card its numbers with sudo dahdi_span_assignments auto, then sudo dahdi_cfg -vv; see which there are with cat /proc/dahdi/*, or set dahdi.channels in the configuration.",
    };
  }
  if (stage === Stage.Specify && errno === ENOTTY) {
    return {
      code: "not_dahdi",
      message: `${device} is not a DAHDI device.`,
      fix: "Set dahdi.device to /dev/dahdi/channel.",
    };
  }
  if (stage === Stage.Signalling) {
    return {
      code: "wrong_signalling",
      message: `Channel ${channel} is not set up to feed a telephone.`,
      fix: `An FXS port takes FXO signalling: put fxoks=${channel} into /etc/dahdi/system.conf, then sudo dahdi_cfg -vv.`,
    };
  }
  if (stage === Stage.Removed || errno === ENODEV) {
    return {
      code: "card_removed",
      message: `The card of channel ${channel} was taken away.`,
      fix: "Put it back and load its driver: the line comes back by itself.",
    };
  }
  return {
    code: "driver_error",
    message: `The driver refused channel ${channel} of ${device} (${errnoName(errno)} at ${stageName(stage)}).`,
    fix: "Look at sudo dmesg | tail and run sudo dahdi_cfg -vv; the line is tried again twice a second.",
  };
}

const stageName = (stage: number): string =>
  (Object.entries(Stage).find(([, number]) => number === stage)?.[0] ?? `stage ${stage}`).toLowerCase();

/** DAHDI_ALARM_* of <dahdi/user.h>, by bit. */
const ALARM_NAMES: readonly (readonly [number, string])[] = [
  [1 << 0, "recover"],
  [1 << 1, "loopback"],
  [1 << 2, "yellow"],
  [1 << 3, "red"],
  [1 << 4, "blue"],
  [1 << 5, "not_open"],
  [1 << 8, "los"],
  [1 << 9, "lfa"],
  [1 << 10, "lmfa"],
];
export const alarmNames = (bits: number): string[] =>
  ALARM_NAMES.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);

/** DAHDI_SIG_FXO* of <dahdi/user.h>, by their names in system.conf: only these three feed a telephone. */
const SIGNALLING_NAMES = new Map([
  [(1 << 12) | (1 << 3), "fxols"],
  [(1 << 12) | (1 << 4), "fxogs"],
  [(1 << 12) | (1 << 5), "fxoks"],
]);
export const signallingName = (signalling: number): string | null => SIGNALLING_NAMES.get(signalling) ?? null;
