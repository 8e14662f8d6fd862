/**
 * How a country's telephones expect it. Sources: EN 300 659-1 annex A and B, the national notes of spandsp's adsi.h and
 * BT SIN 242; where a country is not named, its neighbours' way. A telephone bought elsewhere expects another: the
 * scheme is the owner's to choose.
 */
import { toneZone } from "../tone_zones";
import { type DtmfFraming, dtmfKeys, dtmfSamples } from "./dtmf";
import { fskSamples, type Modem } from "./fsk";
import { type CallerId, mdmfCaller, sdmfCaller } from "./message";

export type CallerIdScheme = {
  /**
   * after_first_burst: in the first silence. before_ringing: after a polarity reversal, where it is FSK with alert.ts's
   * tone between the two.
   */
  when: "after_first_burst" | "before_ringing";
} & ({ kind: "fsk"; modem: Modem; message: "mdmf" | "sdmf" } | { kind: "dtmf"; framing: DtmfFraming });

export const CALLER_ID_SCHEMES = {
  bell202: { kind: "fsk", modem: "bell202", message: "mdmf", when: "after_first_burst" },
  bell202_sdmf: { kind: "fsk", modem: "bell202", message: "sdmf", when: "after_first_burst" },
  v23: { kind: "fsk", modem: "v23", message: "mdmf", when: "after_first_burst" },
  v23_before_ringing: { kind: "fsk", modem: "v23", message: "mdmf", when: "before_ringing" },
  dtmf_a_c: { kind: "dtmf", framing: "a_c", when: "before_ringing" },
  dtmf_a_hash: { kind: "dtmf", framing: "a_hash", when: "before_ringing" },
  dtmf_d_c: { kind: "dtmf", framing: "d_c", when: "before_ringing" },
  dtmf_hash: { kind: "dtmf", framing: "hash", when: "before_ringing" },
} as const satisfies Record<string, CallerIdScheme>;

export type CallerIdSchemeName = keyof typeof CALLER_ID_SCHEMES;

const BY_COUNTRY: Partial<Record<CallerIdSchemeName, string>> = {
  bell202: "ae au ca cl cn cr hk jm kr mx my nz pa ph sg th tw us ve",
  v23_before_ringing: "gb",
  dtmf_a_c: "br fi in is nl sa se",
  dtmf_a_hash: "dk",
  dtmf_d_c: "kw",
};

/** Of a tone zone; V.23 in the first silence, the European way, where nothing else is known. */
export function callerIdScheme(zone: string): CallerIdSchemeName {
  const country = toneZone(zone) ?? zone;
  for (const [name, countries] of Object.entries(BY_COUNTRY)) {
    if (countries.split(" ").includes(country)) return name as CallerIdSchemeName;
  }
  return "v23";
}

/** What the configuration may say: a scheme, `auto` (the country's), `dtmf` (the country's keys), `none`. */
export const CALLER_ID_CHOICES = [
  "auto",
  "none",
  "dtmf",
  ...(Object.keys(CALLER_ID_SCHEMES) as CallerIdSchemeName[]),
];

/** null: nothing is sent. */
export function chosenScheme(choice: string, zone: string): CallerIdSchemeName | null {
  if (choice === "none") return null;
  const own = callerIdScheme(zone);
  if (choice === "auto") return own;
  if (choice === "dtmf") return CALLER_ID_SCHEMES[own].kind === "dtmf" ? own : "dtmf_a_c";
  return choice as CallerIdSchemeName;
}

/** What an on-hook telephone is to hear; empty: the scheme has no way to say it. Throws RangeError for no number. */
export function callerIdSamples(caller: CallerId, name: CallerIdSchemeName): Int16Array {
  const scheme: CallerIdScheme = CALLER_ID_SCHEMES[name];
  if (scheme.kind === "dtmf") return dtmfSamples(dtmfKeys(caller, scheme.framing));
  const message = scheme.message === "mdmf" ? mdmfCaller(caller) : sdmfCaller(caller);
  return fskSamples(message, scheme.modem, "on_hook");
}
