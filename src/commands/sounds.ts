/** Every way to name a sound, as the configuration allows it. */
import { join } from "node:path";
import { version } from "../../package.json";
import type { Config } from "../config/schema";
import type { PhoneExchange } from "../exchange/phone_exchange";
import type { Log } from "../observe/log";
import { Prompts } from "../sounds/prompts";
import { SoundSources } from "../sounds/sound_sources";
import { Speech } from "../sounds/speech";
import { UrlSounds } from "../sounds/url_sounds";

const MIB = 1024 * 1024;

export interface Sounds {
  sounds: SoundSources;
  prompts: Prompts;
  speech: Speech;
}

export function openSounds(
  config: Config,
  stateFolder: string | null,
  exchange: Pick<PhoneExchange, "toneSource">,
  log: Log,
): Sounds {
  const prompts = new Prompts({
    folder: stateFolder && join(stateFolder, "prompts"),
    maxDurationMs: config.prompts.max_duration_seconds * 1000,
    minFreeBytes: config.prompts.min_free_mb * MIB,
    maxTotalBytes: config.prompts.max_total_mb * MIB,
    log,
  });
  const speech = new Speech({
    engine: config.speech.engine,
    espeakNg: config.speech.espeak_ng,
    piper: config.speech.piper,
    piperModel: config.speech.piper_model,
    voice: config.speech.voice,
    timeoutMs: config.speech.timeout_seconds * 1000,
  });
  const sounds = new SoundSources({
    urls: new UrlSounds({
      maxBytes: config.sounds.max_bytes,
      timeoutMs: config.sounds.timeout_seconds * 1000,
      allowPrivate: config.sounds.allow_private_addresses,
      userAgent: `dahdi-phone-api/${version}`,
      // Loaded when the first is asked for: the start without TLS and name resolution is faster.
      exchange: async (request) => (await import("../network/http_exchange")).httpExchange(request),
    }),
    prompts,
    speech,
    tone: (tone) => exchange.toneSource({ tone }),
  });
  return { sounds, prompts, speech };
}
