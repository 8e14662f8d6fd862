import type { CallerIdSchemeName } from "../audio/caller_id/scheme";
import type { LineSettings } from "../line/model";

/** What the configuration says of a line, and may say otherwise while it is served. */
export interface LineRules {
  maxRingMs: number;
  maxRecordingMs: number;
  settings: LineSettings;
  /** null: no display is told anything. */
  callerIdScheme: CallerIdSchemeName | null;
}
