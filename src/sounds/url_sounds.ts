/** Sounds that are fetched while they are heard. */
import { AudioError } from "../audio/error";
import type { PcmSource } from "../audio/source";
import type { HttpAnswer, HttpRequest } from "../network/http_exchange";
import { HttpFailure } from "../network/http_message";
import { type OpenOptions, opened } from "./opened";
import { cancelled, SoundError } from "./sound_error";

export interface UrlSoundOptions {
  maxBytes: number;
  /** Until the server answers, and then without a byte. */
  timeoutMs: number;
  allowPrivate: boolean;
  userAgent: string;
  /** Rejects with HttpFailure. */
  exchange(request: HttpRequest): Promise<HttpAnswer>;
}

const MAX_REDIRECTS = 5;
const AHEAD_BYTES = 512 * 1024;
/** Being fetched at once, those among them that wait behind others. */
const MAX_AT_ONCE = 128;
/** What a server says instead of a sound, and what would be heard as noise. */
const NO_SOUND = /^(text\/|application\/(json|xml|xhtml|javascript)|image\/|video\/(?!ogg|mp4))/i;

const refused = (why: string): SoundError => new SoundError("url_refused", `This URL is not fetched: ${why}.`);
const unreadable = (why: string): SoundError => new SoundError("url_unreadable", `Nothing to play came: ${why}.`);

export function soundUrl(text: string, base?: string): URL {
  if (!URL.canParse(text, base)) throw refused("it is no URL such as https://example.com/hello.wav");
  const url = new URL(text, base);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refused("only https:// and http:// are");
  if (url.username || url.password) throw refused("it holds a user or a password");
  return url;
}

export class UrlSounds {
  #atOnce = 0;

  constructor(private readonly options: UrlSoundOptions) {}

  /** Throws SoundError. */
  async open(text: string, open: OpenOptions): Promise<PcmSource> {
    if (this.#atOnce >= MAX_AT_ONCE) {
      throw new SoundError("too_many_sounds", "Too many sounds are being fetched: try again in a moment.");
    }
    const { timeoutMs, maxBytes } = this.options;
    const url = soundUrl(text);
    const stop = new AbortController();
    this.#atOnce++;
    stop.signal.addEventListener("abort", () => this.#atOnce--, { once: true });
    try {
      const answer = await this.#answer(url, AbortSignal.any([open.signal, stop.signal]), stop);
      const tooLarge = (): SoundError => unreadable(`it is larger than ${maxBytes} bytes (sounds.max_bytes)`);
      if (answer.lengthBytes !== null && answer.lengthBytes > maxBytes) throw tooLarge();
      return await opened(readable(answer.body), answer.lengthBytes, open, {
        aheadBytes: AHEAD_BYTES,
        stallMs: timeoutMs,
        maxBytes,
        stalled: () => late(timeoutMs),
        tooLarge,
        stop: () => stop.abort(),
      });
    } catch (error) {
      stop.abort();
      throw error instanceof AudioError ? unreadable(error.message.replace(/\.$/, "")) : error;
    }
  }

  /** The first answer that is no redirect. */
  async #answer(first: URL, signal: AbortSignal, stop: AbortController): Promise<HttpAnswer> {
    const { timeoutMs } = this.options;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      stop.abort();
    }, timeoutMs);
    try {
      let url = first;
      for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
        const answer = await this.#ask(url, signal);
        const location = answer.headers.get("location");
        if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return sound(answer);
        answer.close();
        url = soundUrl(location, url.href);
      }
      throw unreadable(`it is redirected more than ${MAX_REDIRECTS} times`);
    } catch (error) {
      throw isLate ? late(timeoutMs) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(url: URL, signal: AbortSignal): Promise<HttpAnswer> {
    const { allowPrivate, userAgent, exchange } = this.options;
    const headers = { "user-agent": userAgent, accept: "audio/*, */*;q=0.5", "accept-encoding": "identity" };
    try {
      return await aborted(exchange({ method: "GET", url, headers, body: "", allowPrivate, signal }), signal);
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (error.code === "stopped") throw cancelled();
      if (error.code === "private") {
        throw refused(`${error.message}, and sounds.allow_private_addresses is off`);
      }
      throw unreadable(`${url.host} ${error.message}`);
    }
  }
}

async function* readable(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw error instanceof HttpFailure ? unreadable(`the connection ${error.message}`) : error;
  }
}

/** A name's resolution cannot be stopped, but need not be waited for. */
async function aborted<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  wanted.catch(() => undefined);
  const gone = Promise.withResolvers<never>();
  const tell = (): void => gone.reject(cancelled());
  signal.addEventListener("abort", tell, { once: true });
  if (signal.aborted) tell();
  try {
    return await Promise.race([wanted, gone.promise]);
  } finally {
    signal.removeEventListener("abort", tell);
  }
}

const late = (timeoutMs: number): SoundError =>
  new SoundError(
    "source_timeout",
    `Nothing came from this URL for ${timeoutMs / 1000} s (sounds.timeout_seconds): try again, or play it from here.`,
  );

function sound(answer: HttpAnswer): HttpAnswer {
  const coding = answer.headers.get("content-encoding") ?? "identity";
  const type = answer.headers.get("content-type") ?? "";
  if (answer.status !== 200) throw unreadable(`its server answered ${answer.status}`);
  if (coding !== "identity") throw unreadable(`it is sent as ${coding}`);
  if (NO_SOUND.test(type)) throw unreadable(`it is ${type.split(";")[0]}`);
  return answer;
}
