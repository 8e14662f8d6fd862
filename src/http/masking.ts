/**
 * What of frames and log lines is nobody's business, made unreadable before they leave the machine. A frame stands in a
 * log line as a text within JSON: there its quotes are escaped.
 */

const PRESSED = /(\\?"(?:digits?|finish_key|last_dtmf)\\?":\s*\\?")[0-9A-D*#]*(\\?")/g;
const HISTORY = /(\\?"dtmf_history\\?":)\[[^\]]*\]/g;
/** How long a dial turned tells the digit, and so does what was measured of it. */
const DIAL_TURNED = /(\\?"duration\\?":)\d+(?=[^{}]*\\?"source\\?":\\?"pulse\\?")/g;
const DIAL_MEASURED = /,\\?"(?:pulses_per_second|break_ratio_percent)\\?":[\d.]+/g;
/** The path is the key where many services are told something; a query often is. */
const URL_BEYOND_HOST = /\b((?:https?|wss?|tcp|audiosocket):\/\/[^\s/"\\?#]+)[/?#][^\s"\\]+/g;

export const withoutDigits = (json: string): string =>
  json
    .replaceAll(PRESSED, "$1x$2")
    .replaceAll(HISTORY, "$1[]")
    .replaceAll(DIAL_TURNED, "$10")
    .replaceAll(DIAL_MEASURED, "");

export const withoutUrls = (json: string): string => json.replaceAll(URL_BEYOND_HOST, "$1/***");
