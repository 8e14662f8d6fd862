import type { LineEventBody } from "../line/events";

/** An event of one run. */
export interface ToldEvent {
  line: number;
  /** When it happened: engine time of the recording, ns. */
  atNs: number;
  body: LineEventBody;
}
