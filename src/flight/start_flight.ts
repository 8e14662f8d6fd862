/** The flight recorder of a server, wired to all that it records. */
import type { DriverEvent } from "../driver/decode";
import type { PhoneExchange } from "../exchange/phone_exchange";
import type { Exchange } from "../exchange/verbs";
import type { LineEventBody } from "../line/events";
import { FlightFiles, type FlightFilesOptions } from "./flight_files";
import { FlightRecorder, type FlightRecorderOptions } from "./flight_recorder";
import { recordedExchange } from "./recorded_verbs";

export interface Flight {
  /** null: it is switched off. */
  recorder: FlightRecorder | null;
  driver(event: DriverEvent): void;
  /** Of what is published: when it happened, and what. */
  published(line: number, atMs: number, body: LineEventBody): void;
  /** Passes on an id that was made. */
  id(id: string): string;
  /** The exchange as all but its driver see it. */
  watch(exchange: PhoneExchange): Exchange;
  settled(): Promise<void>;
}

export const NO_FLIGHT: Flight = {
  recorder: null,
  driver: () => undefined,
  published: () => undefined,
  id: (id) => id,
  watch: (exchange) => exchange,
  settled: async () => undefined,
};

export function startFlight(options: FlightRecorderOptions & Omit<FlightFilesOptions, "recorder">): Flight {
  const recorder = new FlightRecorder(options);
  const files = new FlightFiles({ ...options, recorder });
  return {
    recorder,
    driver: (event) => recorder.driver(event),
    published: (line, atMs, body) => {
      recorder.published(line, atMs, body);
      if (body.type === "hardware_status" && body.status === "ready") files.lineReady(line);
      if (body.type === "error") files.lineLost(line);
    },
    id: (id) => recorder.id(id),
    watch: (exchange) => {
      if (recorder.keepsSound) for (const line of exchange.lines) exchange.listen(line, recorder.listener(line));
      return recordedExchange(exchange, recorder);
    },
    settled: () => files.settled(),
  };
}
