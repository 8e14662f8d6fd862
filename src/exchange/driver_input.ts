/** What a driver event means to the line machine; null for what is not the machine's business. */
import type { DriverEvent } from "../driver/decode";
import { type LineAddress, lineFault } from "../driver/faults";
import type { LineInput } from "../line/model";

export function lineInput(event: DriverEvent, atMs: number, address: LineAddress): LineInput | null {
  switch (event.kind) {
    case "line_up":
      return { type: "line_up", atMs, lifted: event.lifted };
    case "line_down":
      return { type: "line_down", atMs, fault: lineFault(event.stage, event.errno, address) };
    case "off_hook":
      return { type: "off_hook", atMs, trippedRing: event.trippedRing };
    case "on_hook":
      return { type: "on_hook", atMs };
    case "flash":
      return { type: "flash", atMs, durationMs: event.durationMs };
    case "pulse_start":
    case "dtmf_down":
      return { type: "digit_started", atMs };
    case "pulse_digit": {
      const { digit, durationMs, pulsesPerSecond, breakPercent } = event;
      const dial = { pulsesPerSecond, breakPercent };
      return { type: "digit", atMs, digit, source: "pulse", durationMs, levelDbm0: null, ...dial };
    }
    case "dtmf_up": {
      const { digit, durationMs, levelDbm0 } = event;
      return { type: "digit", atMs, digit, source: "dtmf", durationMs, levelDbm0 };
    }
    case "dtmf_refused":
      return { type: "key_refused", atMs, digit: event.digit, reason: event.reason, detail: event.detail };
    case "voice_start":
      return { type: "voice_started", atMs, levelDbm0: event.levelDbm0 };
    case "voice_end":
      return { type: "voice_ended", atMs, levelDbm0: event.levelDbm0, segmentDbm0: event.segmentDbm0 };
    case "progress": {
      const { tone, active, levelDbm0, durationMs } = event;
      return { type: "progress", atMs, tone, active, levelDbm0, startMs: atMs - durationMs };
    }
    case "voltage":
      return { type: "voltage", atMs, volts: event.volts };
    case "alarm":
      return { type: "alarm", atMs, names: event.names };
    default:
      return null;
  }
}
