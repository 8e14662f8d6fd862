/** What speaks for POST /say. Nobody needs it who does not ask for it: its absence is no fault. */
import type { Config } from "../config/schema";
import { type Finding, ok, skipped, warning } from "./findings";
import type { System } from "./system";

const APT = "sudo apt-get install espeak-ng";

export function checkSpeech(system: System, speech: Config["speech"], edit: string): Finding {
  const { engine, espeak_ng, piper, piper_model } = speech;
  for (const path of [espeak_ng, piper]) {
    if (path === null || system.which(path) !== null) continue;
    return warning("speech", `${path} cannot be run`, {
      detail: "speech in the configuration names it.",
      fix: edit,
    });
  }
  const model = piper_model === null ? null : modelFault(system, piper_model);
  if (model !== null) return warning("speech", model, { detail: "piper does not speak without it.", fix: edit });
  const programs = {
    "espeak-ng": system.which(espeak_ng ?? "espeak-ng"),
    piper: piper_model === null ? null : system.which(piper ?? "piper"),
  };
  if (piper_model !== null && programs.piper === null) {
    return warning("speech", "piper is not installed, and speech.piper_model names a voice of its", {
      detail: "Nothing in Debian brings it: put it where PATH finds it, or name it by speech.piper.",
      fix: edit,
    });
  }
  const chosen = engine === "auto" ? (["piper", "espeak-ng"] as const) : [engine];
  const paths = chosen.map((name) => programs[name]).filter((path) => path !== null);
  if (paths.length > 0) return ok("speech", `${paths.join(" and ")} can speak`);
  if (engine === "piper") {
    return warning("speech", "speech.engine is piper, and speech.piper_model names no voice", { fix: edit });
  }
  const told = engine === "auto" ? skipped : warning;
  return told("speech", "Nothing that speaks is installed, so POST /say answers 501", { fix: APT });
}

/** A voice is two files. null: both are there. */
function modelFault(system: System, model: string): string | null {
  const missing = [model, `${model}.json`].find((path) => system.stat(path) === null);
  return missing === undefined ? null : `${missing} cannot be read`;
}
