/** The tones that a far end may send, as what a detector needs of them: out of the tables that we play from. */
import type { TonePlan, ToneSegment } from "./tone_plan";
import { type ToneName, zoneTone } from "./tone_zones";

/** As driver/engine.ts's listenFor takes it. */
export interface ProgressTone {
  tone: "dial" | "busy" | "reorder" | "ringback" | "fax_ced" | "fax_cng";
  frequenciesHz: readonly number[];
  toleranceHz: number;
  cadenceMs: readonly number[];
  sureMs: number;
}

/** Where two sound the same and have the same cadence, the first is told. */
const HEARD = ["dial", "busy", "reorder", "ringback"] as const satisfies readonly ToneName[];
/** How far off a far exchange may be. */
const TOLERANCE = 0.01;
/** A voice or an instrument does not hold two exact frequencies for so long. */
const CONTINUOUS_SURE_MS = 1000;

const FAX: readonly ProgressTone[] = [
  // ITU-T V.25, T.30 4.1.1: 2100 ± 15 Hz for 2.6 to 4 s; by V.8 with phase reversals and 15 Hz modulation.
  { tone: "fax_ced", frequenciesHz: [2100], toleranceHz: 15, cadenceMs: [], sureMs: 500 },
  // ITU-T T.30 4.2: 1100 ± 38 Hz, 0.5 s on, 3 s off. The next burst is not waited for.
  { tone: "fax_cng", frequenciesHz: [1100], toleranceHz: 38, cadenceMs: [500, 3000], sureMs: 1000 },
];

/** Carriers, and the sidebands of modulated ones. */
const sines = ({ frequenciesHz, modulationHz }: ToneSegment): number[] =>
  modulationHz === undefined
    ? [...frequenciesHz]
    : frequenciesHz.flatMap((hz) => [hz - modulationHz, hz, hz + modulationHz]);

function heard(tone: (typeof HEARD)[number], { segments }: TonePlan): ProgressTone {
  const frequenciesHz = sines(segments.find(({ frequenciesHz }) => frequenciesHz.length > 0) as ToneSegment);
  const cadenceMs = segments.flatMap(({ ms }) => (ms === null ? [] : [ms]));
  const toleranceHz = TOLERANCE * Math.max(...frequenciesHz);
  return { tone, frequenciesHz, toleranceHz, cadenceMs, sureMs: cadenceMs.length === 0 ? CONTINUOUS_SURE_MS : 0 };
}

/** Of a zone that toneZone knows, and of fax machines anywhere. */
export const progressTones = (zone: string): ProgressTone[] => [
  ...HEARD.map((tone) => heard(tone, zoneTone(zone, tone))),
  ...FAX,
];
