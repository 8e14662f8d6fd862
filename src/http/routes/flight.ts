/** The last minutes, as the flight recorder has them. */
import { type Static, Type } from "@sinclair/typebox";
import { timestamp } from "../../events/published";
import type { Call, Endpoint } from "../endpoint";
import { queryInput } from "../input";
import { Problem } from "../problem";

/** Who downloads slowly holds its entries: more than a few at once are nobody's need. */
const MOST_AT_ONCE = 4;

const FlightQuery = Type.Object({
  audio: Type.Optional(
    Type.Boolean({
      description: "With what the lines heard, where flight_recorder.audio keeps it",
      examples: [false],
    }),
  ),
});

let underWay = 0;

function flightRecording({ dependencies }: Call, { audio = false }: Static<typeof FlightQuery>): Response {
  const { flight } = dependencies;
  if (!flight) {
    throw new Problem(503, "flight_recorder_off", "The flight recorder is off: set flight_recorder.enabled.");
  }
  if (audio && !flight.keepsSound) {
    const message = "cannot be had: set flight_recorder.audio, which keeps it from then on";
    throw new Problem(422, "invalid_input", `audio ${message}.`, { errors: [{ field: "audio", message }] });
  }
  if (underWay >= MOST_AT_ONCE) {
    throw new Problem(429, "too_many_downloads", "Others are downloading it already: try again in a second.", {
      headers: { "retry-after": "1" },
    });
  }
  const pieces = flight.dump({ reason: "asked for", sound: audio, masked: false });
  const utf8 = new TextEncoder();
  let over = false;
  const end = (): void => {
    if (!over) underWay--;
    over = true;
  };
  underWay++;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      try {
        const { done, value } = pieces.next();
        if (!done) {
          controller.enqueue(utf8.encode(value));
          return;
        }
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      end();
    },
    cancel: end,
  });
  const name = `flight-${timestamp(Date.now()).replaceAll(/[:.]/g, "-")}.jsonl`;
  return new Response(body, {
    headers: {
      "content-type": "application/x-ndjson",
      "content-disposition": `attachment; filename="${name}"`,
      "cache-control": "no-store",
    },
  });
}

export const FLIGHT_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/diagnostics/flight-recorder",
    scope: "server",
    tag: "Server",
    access: "admin",
    summary: "What happened in the last minutes",
    description:
      "Everything that the card told, what was asked and refused, and what was published, as lines of JSON with the " +
      "engine's nanoseconds: `dahdi-phone-api replay FILE` does it again with simulated telephones. It holds the digits " +
      "that were pressed and the callers that were shown: GET /diagnostics/bundle masks them.",
    query: FlightQuery,
    answer: { mediaType: "application/x-ndjson" },
    problems: [422, 429, 503],
    handle: (call) => flightRecording(call, queryInput(FlightQuery, call.query)),
  },
];
