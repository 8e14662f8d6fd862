/**
 * Which digits may follow which, as telephony's digit maps have it (RFC 3435 2.1.5): alternatives between bars, each of
 *
 *   0–9 * # A–D   that digit            X        any of 0–9
 *   [1-46*]       any of these          .        what stands before it, any number of times, also none
 *
 * Read digit by digit, all alternatives at once: the work per digit is bounded by the map's length, whatever is pressed.
 */

const DIGITS = "0123456789";
const MAX_LENGTH = 256;

interface Place {
  /** Any of these. */
  digits: string;
  /** Any number of times. */
  many: boolean;
}

export interface DigitMap {
  /** Places of all alternatives one after another; null ends an alternative. */
  readonly places: readonly (Place | null)[];
  readonly starts: readonly number[];
  /** Every digit that it names. */
  readonly named: string;
}

/** Where in the map the digits so far may have led. */
export type MapPlaces = ReadonlySet<number>;

/** The map, or what is wrong with the text. */
export function parseDigitMap(text: string): DigitMap | string {
  if (text.length === 0 || text.length > MAX_LENGTH) return `must have 1 to ${MAX_LENGTH} characters`;
  const places: (Place | null)[] = [];
  const starts: number[] = [];
  for (const alternative of text.toUpperCase().split("|")) {
    if (alternative === "") return "has nothing between two bars, or at an end";
    starts.push(places.length);
    let rest = alternative;
    while (rest !== "") {
      const [whole, set, one] = /^(?:\[([^[\]]*)\]|([0-9*#A-DX]))/.exec(rest) ?? [];
      const digits = set === undefined ? (one === "X" ? DIGITS : one) : setOf(set);
      if (whole === undefined || !digits) {
        return `cannot be read at "${rest.slice(0, 10)}": known are 0-9 * # A-D, X, [1-4], . and | between alternatives`;
      }
      rest = rest.slice(whole.length);
      const many = rest.startsWith(".");
      if (many) rest = rest.slice(1);
      places.push({ digits, many });
    }
    places.push(null);
  }
  return { places, starts, named: [...new Set(places.flatMap((place) => [...(place?.digits ?? "")]))].join("") };
}

/** "1-46*" → "12346*"; "" where it is none. */
function setOf(text: string): string {
  if (!/^(?:[0-9]-[0-9]|[0-9*#A-D])+$/.test(text)) return "";
  return text.replaceAll(/([0-9])-([0-9])/g, (_, from: string, to: string) =>
    DIGITS.slice(Number(from), Number(to) + 1),
  );
}

export const mapStart = (map: DigitMap): MapPlaces => withSkips(map, map.starts);

export function mapNext(map: DigitMap, from: MapPlaces, digit: string): MapPlaces {
  const next: number[] = [];
  for (const at of from) {
    const place = map.places[at];
    if (place?.digits.includes(digit)) next.push(place.many ? at : at + 1);
  }
  return withSkips(map, next);
}

/** What may be left out is a place to be as well. */
function withSkips({ places }: DigitMap, from: readonly number[]): MapPlaces {
  const all = new Set(from);
  for (const at of all) if (places[at]?.many) all.add(at + 1);
  return all;
}

/** Do the digits so far make one of the numbers? */
export const mapMatches = ({ places }: DigitMap, at: MapPlaces): boolean =>
  [...at].some((each) => places[each] === null);

/** May another digit follow? */
export const mapGoesOn = ({ places }: DigitMap, at: MapPlaces): boolean =>
  [...at].some((each) => places[each] !== null);
