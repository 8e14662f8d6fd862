/**
 * What a line sends, silences and all, so that a display understands it, and when. The driver plays these samples as
 * they are: every wait that a norm asks for stands in them.
 *
 *   after_first_burst  bell ██▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁██        before_ringing  reversal ╲▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
 *                      line   500 ms, FSK, 200 ms                      line      wait, alert, wait, FSK, wait
 *                                                                      bell     ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁██
 */
import { TELEPHONE_RATE_HZ } from "../source";
import { alertSamples } from "./alert";
import { fskSamples, type Modem, SENDING_WINDOW } from "./fsk";
import { type CallerId, mdmfCaller, mdmfWaiting, sdmfWaiting } from "./message";
import { CALLER_ID_SCHEMES, type CallerIdScheme, type CallerIdSchemeName, callerIdSamples } from "./scheme";

export interface Transmission {
  samples: Int16Array;
  when: CallerIdScheme["when"];
  /** Tip and ring are exchanged first: what wakes a display where no burst does. */
  reversePolarity: boolean;
}

/** A bell falls silent somewhere in a block of 20 ms, and the card's clock is not ours. */
const BURST_MARGIN_MS = 40;
/** EN 300 659-1 6.2.2, BT SIN 227: 100 ms and more from the reversal to the alert. */
const REVERSAL_TO_ALERT_MS = 150;
/** EN 300 659-1: 45 to 500 ms from the alert to the channel seizure. */
const ALERT_TO_FSK_MS = 60;
/** EN 300 659-1 6.2.2 and annex B: 200 to 500 ms until the first burst. */
const BEFORE_BELL_MS = 250;
/** EN 300 659-1 annex B: what a DTMF receiver needs to wake. */
const REVERSAL_TO_KEYS_MS = 300;
/** GR-30-CORE, without ringing: the line has been quiet for this long. */
const QUIET_BATTERY_MS = 350;
/** GR-30-CORE: at least 50 ms after the acknowledgement; the detector needs 30 of them to be sure of its end. */
const ACKNOWLEDGED_TO_FSK_MS = 40;
/** GR-30-CORE: up to 50 ms between the subscriber's tone and the alert. */
const TONE_TO_ALERT_MS = 20;
/** In which the acknowledgement begins, ends and is heard. */
const ACKNOWLEDGEMENT_SILENCE_MS = 400;

const silence = (ms: number): Int16Array => new Int16Array((ms * TELEPHONE_RATE_HZ) / 1000);

function joined(...parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** null: the scheme has no way to say it. Throws RangeError for a number that is none. */
export function callerIdTransmission(caller: CallerId, name: CallerIdSchemeName): Transmission | null {
  const scheme: CallerIdScheme = CALLER_ID_SCHEMES[name];
  const sound = callerIdSamples(caller, name);
  if (sound.length === 0) return null;
  const { when } = scheme;
  if (when === "after_first_burst") {
    const { afterBurstMs, beforeBurstMs } = SENDING_WINDOW;
    const samples = joined(silence(afterBurstMs + BURST_MARGIN_MS), sound, silence(beforeBurstMs));
    return { samples, when, reversePolarity: false };
  }
  const announced =
    scheme.kind === "dtmf"
      ? [silence(REVERSAL_TO_KEYS_MS), sound]
      : [silence(REVERSAL_TO_ALERT_MS), alerted(sound)];
  return { samples: joined(...announced, silence(BEFORE_BELL_MS)), when, reversePolarity: true };
}

const alerted = (fsk: Int16Array): Int16Array => joined(alertSamples("on_hook"), silence(ALERT_TO_FSK_MS), fsk);

/** Of the scheme, for what needs FSK: a waiting call, a waiting message. null: it has none. */
export function schemeModem(name: CallerIdSchemeName): Modem | null {
  const scheme: CallerIdScheme = CALLER_ID_SCHEMES[name];
  return scheme.kind === "fsk" ? scheme.modem : null;
}

/** The lamp of an idle telephone. null: this scheme's telephones have none that hears. */
export function lampTransmission(lamp: "on" | "off", name: CallerIdSchemeName): Omit<Transmission, "when"> | null {
  const scheme: CallerIdScheme = CALLER_ID_SCHEMES[name];
  if (scheme.kind === "dtmf") return null;
  const message = scheme.message === "mdmf" ? mdmfWaiting(lamp) : sdmfWaiting(lamp);
  const fsk = fskSamples(message, scheme.modem, "on_hook");
  // GR-30-CORE needs no alert; EN 300 659-1 6.1.2 does, where no ringing comes with it.
  const samples = joined(silence(QUIET_BATTERY_MS), scheme.modem === "bell202" ? fsk : alerted(fsk), silence(100));
  return { samples, reversePolarity: scheme.when === "before_ringing" };
}

/** To a lifted telephone; it is to acknowledge the alert, which ends `alertEndMs` after the first sample. */
export function waitingCallAlert(tone: Int16Array): { samples: Int16Array; alertEndMs: number } {
  const alert = joined(tone, silence(TONE_TO_ALERT_MS), alertSamples("off_hook"));
  return {
    samples: joined(alert, silence(ACKNOWLEDGEMENT_SILENCE_MS)),
    alertEndMs: (alert.length * 1000) / TELEPHONE_RATE_HZ,
  };
}

/** What follows the acknowledgement. */
export const waitingCaller = (caller: CallerId, modem: Modem): Int16Array =>
  joined(silence(ACKNOWLEDGED_TO_FSK_MS), fskSamples(mdmfCaller(caller), modem, "off_hook"));
