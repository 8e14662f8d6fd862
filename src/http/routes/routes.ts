/** Every path that is answered over HTTP, and by what. */
import type { Endpoint } from "../endpoint";
import { BRIDGE_ENDPOINTS } from "./bridges";
import { BUNDLE_ENDPOINTS } from "./bundle";
import { CONFIG_ENDPOINTS } from "./config";
import { EVENT_ENDPOINTS } from "./events";
import { FLIGHT_ENDPOINTS } from "./flight";
import { GATHER_ENDPOINTS } from "./gather";
import { LINE_ENDPOINTS } from "./line";
import { PLAYBACK_ENDPOINTS } from "./playbacks";
import { PROMPT_ENDPOINTS } from "./prompts";
import { RECORDING_ENDPOINTS } from "./recordings";
import { SERVER_ENDPOINTS } from "./server";
import { SIMULATOR_ENDPOINTS } from "./simulator";
import { SOUND_ENDPOINTS } from "./sound";
import { SPEECH_ENDPOINTS } from "./speech";
import { STREAM_ENDPOINTS } from "./streams";
import { TOKEN_ENDPOINTS } from "./tokens";
import { WEBHOOK_ENDPOINTS } from "./webhooks";

export interface Route {
  path: string;
  endpoint: Endpoint;
}

/** simulated: the telephones are, and a hand on them has routes as well. */
export function routesOf(simulated: boolean): Route[] {
  const routes: Route[] = [];
  const endpoints = [
    ...LINE_ENDPOINTS,
    ...GATHER_ENDPOINTS,
    ...SOUND_ENDPOINTS,
    ...PLAYBACK_ENDPOINTS,
    ...SPEECH_ENDPOINTS,
    ...PROMPT_ENDPOINTS,
    ...RECORDING_ENDPOINTS,
    ...STREAM_ENDPOINTS,
    ...BRIDGE_ENDPOINTS,
    ...EVENT_ENDPOINTS,
    ...WEBHOOK_ENDPOINTS,
    ...TOKEN_ENDPOINTS,
    ...SERVER_ENDPOINTS,
    ...CONFIG_ENDPOINTS,
    ...BUNDLE_ENDPOINTS,
    ...FLIGHT_ENDPOINTS,
  ];
  for (const endpoint of endpoints) {
    routes.push({ path: endpoint.path, endpoint });
    if (endpoint.scope === "line") routes.push({ path: `/lines/:line${endpoint.path}`, endpoint });
  }
  if (simulated) {
    for (const endpoint of SIMULATOR_ENDPOINTS)
      routes.push({ path: `/simulator/lines/:line${endpoint.path}`, endpoint });
  }
  return routes;
}
