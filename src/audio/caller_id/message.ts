/**
 * What a telephone's display is told, as bytes: messages of one datum (SDMF) and of parameters (MDMF), for the caller
 * (type 04, 80) and for waiting messages (type 06, 82).
 *
 *   type | length | data, or parameters: type, length, data … | checksum
 *
 * Telcordia GR-30-CORE (framing), GR-31-CORE (number), GR-1188-CORE (name), GR-1401-CORE (waiting messages); ETSI
 * EN 300 659-3 has the same types for Europe.
 */

/** Why there is no number or no name: withheld by the caller, or not known to the network. */
export type Absence = "private" | "out_of_area";

/** The telephone's own wall clock; its display sets itself by it. */
export interface CallTime {
  month: number;
  day: number;
  hour: number;
  minute: number;
}

export interface CallerId {
  number?: string;
  name?: string;
  /** Where there is no number; omitted: out_of_area. */
  absent?: Absence;
  time: CallTime;
}

const MESSAGE = { sdmfCaller: 0x04, sdmfWaiting: 0x06, mdmfCaller: 0x80, mdmfWaiting: 0x82 } as const;
const PARAMETER = {
  time: 0x01,
  number: 0x02,
  numberAbsent: 0x04,
  name: 0x07,
  nameAbsent: 0x08,
  visualIndicator: 0x0b,
} as const;
const ABSENCE: Record<Absence, string> = { private: "P", out_of_area: "O" };
/** GR-1401-CORE: the lamp on and off; in SDMF the datum is sent three times. */
const LAMP_MDMF = { on: 0xff, off: 0x00 };
const LAMP_SDMF = { on: 0x42, off: 0x6f };

/** EN 300 659-3; GR-31-CORE displays have ten and more. */
export const MAX_NUMBER_DIGITS = 20;
/** GR-1188-CORE: a longer name is cut. */
export const MAX_NAME_CHARACTERS = 15;

export const callTime = (date: Date): CallTime => ({
  month: date.getMonth() + 1,
  day: date.getDate(),
  hour: date.getHours(),
  minute: date.getMinutes(),
});

/** The digits of a number as people write it: "+1 (202) 555-0100" is 12025550100. null: it is none, or too long. */
export function dialledDigits(number: string): string | null {
  const digits = number.replaceAll(/[\s()./-]/g, "").replace(/^\+/, "");
  return /^[0-9*#]+$/.test(digits) && digits.length <= MAX_NUMBER_DIGITS ? digits : null;
}

const SPELT: Record<string, string> = {
  ß: "ss",
  æ: "ae",
  Æ: "AE",
  ø: "o",
  Ø: "O",
  œ: "oe",
  đ: "d",
  ł: "l",
  Ł: "L",
};

/** The name in the characters that every display has (ITU-T T.50), cut to its length. */
export function displayedName(name: string): string {
  const plain = [...name.normalize("NFKD").replaceAll(/\p{M}/gu, "")].map((each) => SPELT[each] ?? each).join("");
  return plain
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[^ -~]/gu, "?")
    .slice(0, MAX_NAME_CHARACTERS);
}

const bytesOf = (text: string): number[] => [...text].map((each) => each.charCodeAt(0));

/** The checksum makes the sum of all bytes 0, modulo 256. */
function message(type: number, data: readonly number[]): Uint8Array {
  const bytes = [type, data.length, ...data];
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return Uint8Array.from([...bytes, -sum & 0xff]);
}

const parameter = (type: number, data: readonly number[]): number[] => [type, data.length, ...data];

const twoDigits = (value: number): string => String(value).padStart(2, "0");
const timeText = ({ month, day, hour, minute }: CallTime): string =>
  [month, day, hour, minute].map(twoDigits).join("");

/** Throws RangeError for a number that dialledDigits refuses. */
function digitsOf(number: string): string {
  const digits = dialledDigits(number);
  if (digits === null)
    throw new RangeError(`"${number}" is no telephone number of up to ${MAX_NUMBER_DIGITS} digits`);
  return digits;
}

export function mdmfCaller({ number, name, absent = "out_of_area", time }: CallerId): Uint8Array {
  const reason = bytesOf(ABSENCE[absent]);
  const shown = name === undefined ? "" : displayedName(name);
  return message(MESSAGE.mdmfCaller, [
    ...parameter(PARAMETER.time, bytesOf(timeText(time))),
    ...(number === undefined
      ? parameter(PARAMETER.numberAbsent, reason)
      : parameter(PARAMETER.number, bytesOf(digitsOf(number)))),
    ...(shown !== "" ? parameter(PARAMETER.name, bytesOf(shown)) : []),
    // With a number and no name the display has something to show; with neither it is told why.
    ...(shown === "" && number === undefined ? parameter(PARAMETER.nameAbsent, reason) : []),
  ]);
}

/** The number alone: the older displays. */
export function sdmfCaller({ number, absent = "out_of_area", time }: CallerId): Uint8Array {
  const shown = number === undefined ? ABSENCE[absent] : digitsOf(number);
  return message(MESSAGE.sdmfCaller, bytesOf(timeText(time) + shown));
}

/** Lights or puts out the lamp of a telephone (VMWI). */
export const mdmfWaiting = (lamp: "on" | "off"): Uint8Array =>
  message(MESSAGE.mdmfWaiting, parameter(PARAMETER.visualIndicator, [LAMP_MDMF[lamp]]));

export const sdmfWaiting = (lamp: "on" | "off"): Uint8Array =>
  message(MESSAGE.sdmfWaiting, [LAMP_SDMF[lamp], LAMP_SDMF[lamp], LAMP_SDMF[lamp]]);
