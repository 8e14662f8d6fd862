/** What the driver tells of a channel that is not opened: native/probe.c, for the doctor. */
import { ProbeField, ProbeSize } from "./abi.gen";
import { check } from "./engine";
import { alarmNames, signallingName } from "./faults";
import { cString, type Shim } from "./library";

export interface ChannelProbe {
  /** Errnos, 0 none: of the device node, of the control node, of asking for the channel, of the tone zone. */
  deviceError: number;
  controlError: number;
  channelError: number;
  zoneError: number;
  /** "fxoks" and the other two that feed a telephone; null for any other, and for none. */
  signalling: string | null;
  /** The port's hardware can feed a telephone: an FXS port, and not one for the wall socket. */
  feedsTelephones: boolean;
  lifted: boolean;
  alarms: string[];
  law: "mu-law" | "A-law";
  /** The default tone zone's number in the driver, 0 North America. */
  zone: number | null;
}

/** FXO signalling of <dahdi/user.h>: kewl, ground and loop start. */
const FEEDING_BITS = (1 << 3) | (1 << 4) | (1 << 5);
const LAW_A = 2;

export function probeChannel(shim: Shim, device: string, channel: number): ChannelProbe {
  const bytes = new Uint8Array(ProbeSize);
  check(shim.dshim_probe(cString(device), channel, bytes));
  const view = new DataView(bytes.buffer);
  const int = (field: keyof typeof ProbeField): number => view.getInt32(ProbeField[field].offset, true);
  return {
    deviceError: int("device_error"),
    controlError: int("control_error"),
    channelError: int("channel_error"),
    zoneError: int("zone_error"),
    signalling: signallingName(int("signalling")),
    feedsTelephones: (int("possible_signallings") & FEEDING_BITS) !== 0,
    lifted: int("lifted") === 1,
    alarms: alarmNames(int("alarms")),
    law: int("law") === LAW_A ? "A-law" : "mu-law",
    zone: int("zone_error") === 0 ? int("zone") : null,
  };
}
