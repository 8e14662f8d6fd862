/** Makes the texts beside the event loop: tens of milliseconds here, a tenth of a second on a Pi, in which nobody would speak. */
import { routesOf } from "../routes/routes";
import { asyncApi } from "./asyncapi";
import type { Documents, ToDocumentsThread } from "./documents";
import { openApi } from "./openapi";

declare const self: Worker;

self.onmessage = async ({ data: { version, simulated } }: MessageEvent<ToDocumentsThread>) => {
  const texts: Documents = {
    openApi: await openApi(version, routesOf(simulated)),
    asyncApi: new TextEncoder().encode(JSON.stringify(asyncApi(version))),
  };
  self.postMessage(texts);
};
