/**
 * The tones of the world: frequencies and cadences of ITU-T E.180 supplement 2, "Various tones used in national
 * networks", and where a national specification is newer, of that: au ACIF S002, cn GB/T 3380, gb BT SIN 350, jp NTT,
 * nz TNA 102, ru GOST 45.223, sg IDA TS PSTN 1, us and ca GR-506-CORE. test/peers compares them with Debian's
 * libtonezone, and names every difference with its reason.
 */
import { parseTone } from "./tone_notation";
import { MODULATION_POWER_DB, type TonePlan, type ToneSegment } from "./tone_plan";

/**
 * Columns: ISO 3166 code | country | dial | busy | ringback | reorder (congestion) | stutter (special dial tone, such
 * as for a waiting message) | call waiting | howler (receiver left off-hook). The notation is tone_notation.ts's.
 * "-": E.180 names none; DEFAULTS tells what is heard instead.
 */
const TABLE = `
ae | United Arab Emirates | 350+440 | 400 0.375 0.375 | 400+425 0.4 0.2 0.4 2 | 425 0.4 0.35 0.225 0.525 | - | - | -
al | Albania | 425 | 425 0.3 0.3 | 425 1 4 | 425 0.15 0.15 | - | 425 0.2 0.6 | -
ar | Argentina | 425 | 425 0.3 0.2 | 425 1 4 | 425 0.3 0.4 | - | 425 0.4 0.2 0.4 4 | -
at | Austria | 420 | 420 0.4 0.4 | 420 1 5 | 420 0.2 0.2 | 380+420 | 420 0.04 1.96 | -
au | Australia | 413+438 | 425 0.375 0.375 | 413+438 0.4 0.2 0.4 2 | 425 0.375 0.375, 425@-10 0.375 0.375 | 413+438 0.1 0.04 | 425 0.2 0.2 0.2 4.4 | -
be | Belgium | 425 | 425 0.5 0.5 | 425 1 3 | 425 0.167 0.167 | 425 1 0.25 | 1400 0.175 0.175 0.175 3.5 | -
bg | Bulgaria | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.25 0.25 | 425 1.5 0.1 | 425 0.15 0.15 0.15 4 | -
br | Brazil | 425 | 425 0.25 0.25 | 425 1 4 | 425 0.25 0.25 0.75 0.25 | - | 425 0.05 1 | -
ca | Canada | 350+440 | 480+620 0.5 0.5 | 440+480 2 4 | 480+620 0.25 0.25 | - | 440 0.3 9.7 | -
ch | Switzerland | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.2 0.2 | 425+340 1.1 1.1 | 425 0.2 0.2 0.2 4 | -
cl | Chile | 400 | 400 0.5 0.5 | 400 1 3 | 400 0.2 0.2 | - | 400 0.25 8.75 | -
cn | China | 450 | 450 0.35 0.35 | 450 1 4 | 450 0.7 0.7 | 450 0.4 0.04 | 450 0.4 4 | 950
cr | Costa Rica | 450 | 450 0.33 0.33 | 450 1.203 4.9 | 450 0.33 0.33 | - | 450 0.15 0.15 0.15 8 | -
cz | Czechia | 425 0.33 0.33 0.66 0.66 | 425 0.33 0.33 | 425 1 4 | 425 0.165 0.165 | 425 0.165 0.165 0.165 0.165 0.165 0.165 0.66 0.66 | 425 0.33 9 | -
de | Germany | 425 | 425 0.48 0.48 | 425 1 4 | 425 0.24 0.24 | 425+400 | 425 0.2 0.2 0.2 5 | -
dk | Denmark | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.2 0.2 | 425 0.45 0.05 | 425 0.2 0.6 0.2 3 | -
ee | Estonia | 425 | 425 0.3 0.3 | 425 1 4 | 425 0.2 0.2 | - | - | -
es | Spain | 425 | 425 0.2 0.2 | 425 1.5 3 | 425 0.2 0.2 0.2 0.2 0.2 0.6 | 425 1 0.1 | 425 0.175 0.175 0.175 3.5 | -
fi | Finland | 425 | 425 0.3 0.3 | 425 1 4 | 425 0.2 0.2 | 425 0.65 0.025 | 425 0.15 0.15 0.15 8 | -
fr | France | 440 | 440 0.5 0.5 | 440 1.5 3.5 | 440 0.25 0.25 | - | 440 0.3 10 | -
gb | United Kingdom | 350+440 | 400 0.375 0.375 | 400+450 0.4 0.2 0.4 2 | 400 0.4 0.35 0.225 0.525 | 350+440 0.75, 440 0.75 | 400 0.1 4 | -
gr | Greece | 425 0.2 0.3 0.7 0.8 | 425 0.3 0.3 | 425 1 4 | 425 0.2 0.2 | 425 0.65 0.025 | 425 0.15 0.15 0.15 8 | -
hk | Hong Kong | 350+440 | 480+620 0.5 0.5 | 440+480 0.4 0.2 0.4 3 | 480+620 0.25 0.25 | - | 440 0.5 0.5 0.5 0.5 0.5 8.5 | -
hu | Hungary | 425 | 425 0.3 0.3 | 425 1.25 3.75 | 425 0.3 0.3 | 350+375+400 | 425 0.04 1.96 | -
id | Indonesia | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.25 0.25 | - | 425 0.15 0.15 0.15 10 | -
ie | Ireland | 400+425+450 | 425 0.5 0.5 | 400+450 0.4 0.2 0.4 2 | - | - | - | -
il | Israel | 414 | 414 0.5 0.5 | 414 1 3 | 414 0.25 0.25 | 10x(414 0.16 0.16) 414 | 414 0.1 0.1 0.1 0.1 0.6 3 | -
in | India | 400*25 | 400 0.75 0.75 | 400*25 0.4 0.2 0.4 2 | 400 0.25 0.25 | - | 400 0.2 0.1 0.2 7.5 | -
ir | Iran | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.25 0.25 | - | 425 0.2 0.2 0.2 10 | -
is | Iceland | 425 | 425 0.25 0.25 | 425 1.2 4.7 | 425 0.25 0.25 | 425 0.4 0.04 | 425 0.2 0.6 0.2 5 | -
it | Italy | 425 0.2 0.2 0.6 1 | 425 0.5 0.5 | 425 1 4 | 425 0.2 0.2 | 470 0.4, 425 0.4 | 425 0.4 0.1 0.25 0.1 0.15 14 | -
jm | Jamaica | 350+440 | 480+620 0.5 0.5 | 440+480 2 4 | 480+620 0.3 0.2 | - | - | -
jo | Jordan | 400+440 | 400+440 0.5 0.5 | 400+440 1.2 4.8 | 400+440 0.25 0.25 | - | 400+440 0.5 0.3 0.2 0.3 0.2 3 | -
jp | Japan | 400 | 400 0.5 0.5 | 400*16 1 2 | 400 0.5 0.5 | - | 400*16 0.5 8 | -
kr | Korea | 350+440 | 480+620 0.5 0.5 | 440+480 1 2 | 480+620 0.3 0.2 | - | 350+440 0.25 0.25 0.25 3.25 | -
kw | Kuwait | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.5 0.5 | 425 0.4 0.04 | - | -
lt | Lithuania | 425 | 425 0.35 0.35 | 425 1 4 | 425 0.2 0.2 | - | 425 0.15 0.15 0.15 4 | -
mo | Macao | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.25 0.25 | - | 425 0.2 0.6 | -
mx | Mexico | 425 | 425 0.25 0.25 | 425 1 4 | 425 0.25 0.25 | - | 425 0.2 0.6 0.2 10 | -
my | Malaysia | 425 | 425 0.5 0.5 | 425 0.4 0.2 0.4 2 | 425 0.5 0.5 | - | 425 0.1 4 | -
nl | Netherlands | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.25 0.25 | 425 0.5 0.05 | 425 0.5 9.5 | -
no | Norway | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.2 0.2 | 470 0.4, 425 0.4 | 425 0.2 0.6 0.2 10 | -
nz | New Zealand | 400 | 400 0.5 0.5 | 400+450 0.4 0.2 0.4 2 | 400 0.25 0.25 | - | 400 0.25 0.25 0.25 3.25 | -
pa | Panama | 425 | 425 0.32 0.32 | 425 1.2 4.65 | 425 0.32 0.32 | - | 425 0.18 0.18 0.18 4.5 | -
ph | Philippines | 425 | 480+620 0.5 0.5 | 425+480 1 4 | 480+620 0.25 0.25 | - | 440 0.3 10 | -
pl | Poland | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.5 0.5 | - | 425 0.15 0.15 0.15 4 | -
pt | Portugal | 425 | 425 0.5 0.5 | 425 1 5 | 425 0.2 0.2 | 425 1 0.2 | 425 0.2 0.2 0.2 5 | -
ru | Russia | 425 | 425 0.35 0.35 | 425 1 4 | 425 0.175 0.175 | 425 0.4 0.04 | 425 0.2 5 | -
sa | Saudi Arabia | 425 | 425 0.5 0.5 | 425 1.2 4.6 | - | - | 425 0.2 0.6 0.2 4 | -
se | Sweden | 425 | 425 0.25 0.25 | 425 1 5 | 425 0.25 0.75 | 425 0.32 0.02 | 425 0.2 0.5 0.2 9.1 | -
sg | Singapore | 425 | 425 0.75 0.75 | 425*24 0.4 0.2 0.4 2 | 425 0.25 0.25 | 4x(425 0.2 0.2 0.6 0.2) 425 | 425*24 0.3 0.2 0.3 3.2 | -
si | Slovenia | 425 0.2 0.3 0.7 0.8 | 425 0.5 0.5 | 425 1 4 | 425 0.2 0.2 | - | - | -
sk | Slovakia | 425 0.33 0.33 0.66 0.66 | 425 0.33 0.33 | 425 1 4 | 425 0.165 0.165 | 425 0.165 0.165 0.165 0.165 0.165 0.165 0.66 0.66 | 425 0.33 9 | -
th | Thailand | 400*50 | 400 0.5 0.5 | 400 1 4 | 400 0.3 0.3 | 400*50 0.4 0.1 | 400 1 10 | -
tr | Turkey | 450 | 450 0.5 0.5 | 450 2 4 | 450 0.2 0.2 0.2 0.2 0.2 0.2 0.6 0.2 | - | 450 0.2 0.6 0.2 8 | -
tw | Taiwan | 350+440 | 480+620 0.5 0.5 | 440+480 1 2 | 480+620 0.25 0.25 | - | 350+440 0.25 0.25 0.25 3.25 | -
us | United States | 350+440 | 480+620 0.5 0.5 | 440+480 2 4 | 480+620 0.25 0.25 | - | 440 0.3 9.7 | -
ve | Venezuela | 425 | 425 0.5 0.5 | 425 1 4 | 425 0.25 0.25 | - | 400+450 0.3 6 | -
za | South Africa | 400*33 | 400 0.5 0.5 | 400*33 0.4 0.2 0.4 2 | 400 0.25 0.25 | 4x(400*33 0.25 0.25) 400*33 | 400*33 0.25 0.25 0.25 0.25 0.25 0.25 0.25 7.25 | -
`;

const COLUMNS = ["dial", "busy", "ringback", "reorder", "stutter", "call_waiting", "howler"] as const;
type Column = (typeof COLUMNS)[number];

/** confirmation: accepted, such as a feature switched on. */
export const TONE_NAMES = [...COLUMNS, "confirmation"] as const;
export type ToneName = (typeof TONE_NAMES)[number];

type Zone = Record<Column, string>;

const ZONES: ReadonlyMap<string, Zone> = new Map(
  TABLE.trim()
    .split("\n")
    .map((row) => {
      const [code, , ...cells] = row.split("|").map((cell) => cell.trim());
      const tones = Object.fromEntries(COLUMNS.map((column, i) => [column, cells[i] ?? "-"]));
      return [code as string, tones as Zone];
    }),
);

/** ISO 3166 alpha-2, lower case. */
export const TONE_ZONES: readonly string[] = [...ZONES.keys()];
export const DEFAULT_TONE_ZONE = "us";

/** How DAHDI and others call them. */
const ALIASES: Record<string, string> = { uk: "gb" };

/** The zone's own name; null: there is no such zone. */
export function toneZone(name: string): string | null {
  const lower = name.toLowerCase();
  const code = ALIASES[lower] ?? lower;
  return ZONES.has(code) ? code : null;
}

/** Telcordia's precise tone plan (GR-506-CORE): two tones of 350, 440, 480 and 620 Hz, and their levels with it. */
const PRECISE_TONE_PLAN: ReadonlySet<string> = new Set(["ca", "hk", "jm", "kr", "ph", "tw", "us"]);
/** Of each frequency, GR-506-CORE; the howler as loud as a digital line carries it. */
const PRECISE_LEVELS_DBM0: Record<ToneName, number> = {
  dial: -13,
  busy: -24,
  reorder: -24,
  ringback: -19,
  stutter: -13,
  confirmation: -13,
  call_waiting: -13,
  howler: -6,
};
/** ITU-T E.180: nominally −10 dBm0, from −15 to −5, for the whole tone. */
const E180_LEVEL_DBM0 = -10;
/** Meant to be heard by who is not listening. */
const HOWLER_LEVEL_DBM0 = 0;

/** What is heard where E.180 names no such tone. */
const DEFAULTS: Record<Column | "confirmation", (zone: Zone) => string> = {
  dial: () => "425", // E.180: the preferred frequency
  busy: () => "425 0.5 0.5",
  ringback: () => "425 1 4",
  reorder: (tones) => `${soundOf(tones.busy)} 0.25 0.25`,
  // GR-506-CORE: ten bursts of 0.1 s, then the dial tone.
  stutter: (tones) => `10x(${soundOf(tones.dial)} 0.1 0.1) ${tones.dial}`,
  call_waiting: (tones) => `${soundOf(tones.busy)} 0.2 0.6 0.2 3`, // as Denmark has it
  // GR-506-CORE 17.2.8, receiver-off-hook tone: the one that other countries' exchanges have adopted.
  howler: () => "1400+2060+2450+2600 0.1 0.1",
  confirmation: (tones) => `${soundOf(tones.dial)} 0.1 0.1`,
};

/** The frequencies that a tone begins with. */
const soundOf = (text: string): string => /^\S+/.exec(text)?.[0] ?? "";

function zoneOf(name: string): Zone {
  const zone = ZONES.get(toneZone(name) ?? "");
  if (!zone) throw new Error(`there is no tone zone ${name}`);
  return zone;
}

/** The tone as that country hears it. Throws Error for a zone that toneZone does not know. */
export function zoneTone(zoneName: string, tone: ToneName): TonePlan {
  const zone = zoneOf(zoneName);
  const text = tone === "confirmation" ? "-" : zone[tone];
  const cadence = parseTone(text === "-" ? DEFAULTS[tone](zone) : text);
  const precise = PRECISE_TONE_PLAN.has(toneZone(zoneName) ?? "");
  const levelDbm0 = precise ? PRECISE_LEVELS_DBM0[tone] : levelOfEach(tone, cadence.segments[0] as ToneSegment);
  return { levelDbm0, ...cadence };
}

/** What each frequency has, so that all of them together have the level that is meant. */
function levelOfEach(tone: ToneName, { frequenciesHz, modulationHz }: ToneSegment): number {
  const wholeDbm0 = tone === "howler" ? HOWLER_LEVEL_DBM0 : E180_LEVEL_DBM0;
  const modulationDb = modulationHz === undefined ? 0 : MODULATION_POWER_DB;
  return wholeDbm0 - 10 * Math.log10(frequenciesHz.length) - modulationDb;
}
