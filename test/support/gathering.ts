import { type Answer, post } from "./client";
import { eventually } from "./server";

/** Digits are being collected: asked in a way that begins nothing. */
export const untilGathering = (url: string): Promise<Answer> =>
  eventually(
    () => post(`${url}/announce`, { tone: "busy", when_lifted: "busy", gather: {} }),
    ({ body }) => body.code === "gather_active",
  );
