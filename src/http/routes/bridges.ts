/** Lines that hear each other. */
import type { Static } from "@sinclair/typebox";
import type { BridgeInfo, RingRequest } from "../../exchange/verbs";
import type { Call, Endpoint } from "../endpoint";
import { jsonInput } from "../input";
import {
  BridgeAddInput,
  BridgeAnswer,
  BridgeInput,
  BridgeLineInput,
  BridgesAnswer,
  BridgeVerbAnswer,
} from "../schema_bridges";
import { ringRequest } from "./line";

const shown = ({ id, members }: BridgeInfo) => ({ bridge_id: id, lines: members });
const verbAnswer = (bridge: BridgeInfo) => ({ status: "success", ...shown(bridge) });
const bridgeId = ({ params }: Call): string => params.bridge_id ?? "";

function ringing({ ring, ...options }: Omit<Static<typeof BridgeAddInput>, "line">): RingRequest | null {
  return ring ? ringRequest(options) : null;
}

const common = { scope: "server", tag: "Bridges" } as const;
const verb = { ...common, method: "POST", answer: BridgeVerbAnswer } as const;

export const BRIDGE_ENDPOINTS: readonly Endpoint[] = [
  {
    ...verb,
    path: "/bridges",
    summary: "Let lines hear each other",
    description:
      "Intercom of two, a conference of up to eight. A line is on one bridge at most, and IN_CALL meanwhile; what is played " +
      "on it is heard by its own telephone alone, and its digits are told as ever. bridge_joined and bridge_left tell " +
      "who comes and goes; the bridge ends when fewer than two are left.",
    body: BridgeInput,
    example: { lines: [1, 2], ring: true, duration: 2000 },
    problems: [400, 404, 409, 415, 422, 429, 503],
    handle: async ({ request, query, dependencies: { exchange } }) => {
      const { lines, ...input } = await jsonInput(BridgeInput, request, query);
      return verbAnswer(await exchange.bridges.create(lines, ringing(input)));
    },
  },
  {
    ...common,
    method: "GET",
    path: "/bridges",
    summary: "All bridges",
    answer: BridgesAnswer,
    problems: [],
    handle: ({ dependencies: { exchange } }) => ({ bridges: exchange.bridges.list().map(shown) }),
  },
  {
    ...common,
    method: "GET",
    path: "/bridges/:bridge_id",
    summary: "One bridge",
    answer: BridgeAnswer,
    problems: [404],
    handle: (call) => shown(call.dependencies.exchange.bridges.get(bridgeId(call))),
  },
  {
    ...common,
    method: "DELETE",
    path: "/bridges/:bridge_id",
    summary: "Take all lines from the bridge",
    description: "The telephones stay lifted; bells that ring for it stop.",
    answer: { mediaType: "application/json" },
    success: 204,
    problems: [404],
    handle: async (call) => {
      await call.dependencies.exchange.bridges.delete(bridgeId(call));
      return new Response(null, { status: 204 });
    },
  },
  {
    ...verb,
    path: "/bridges/:bridge_id/add",
    summary: "Let one more line hear the others",
    body: BridgeAddInput,
    example: { line: 3, ring: true, duration: 2000 },
    problems: [400, 404, 409, 415, 422, 429, 503],
    handle: async (call) => {
      const { line, ...input } = await jsonInput(BridgeAddInput, call.request, call.query);
      return verbAnswer(await call.dependencies.exchange.bridges.add(bridgeId(call), line, ringing(input)));
    },
  },
  {
    ...verb,
    path: "/bridges/:bridge_id/remove",
    summary: "Take a line from the bridge",
    description: "Its telephone stays lifted. The last one that remains is taken as well.",
    body: BridgeLineInput,
    example: { line: 1 },
    problems: [400, 404, 409, 415, 422],
    handle: async (call) => {
      const { line } = await jsonInput(BridgeLineInput, call.request, call.query);
      return verbAnswer(await call.dependencies.exchange.bridges.remove(bridgeId(call), line));
    },
  },
  {
    ...verb,
    path: "/bridges/:bridge_id/hold",
    summary: "Hold a line",
    description:
      "It stays on the bridge, and neither hears the others nor is heard. It hears silence: POST /play-audio or /play-tone " +
      "on it is the music on hold.",
    body: BridgeLineInput,
    example: { line: 1 },
    problems: [400, 404, 409, 415, 422],
    handle: async (call) => {
      const { line } = await jsonInput(BridgeLineInput, call.request, call.query);
      return verbAnswer(await call.dependencies.exchange.bridges.hold(bridgeId(call), line, true));
    },
  },
  {
    ...verb,
    path: "/bridges/:bridge_id/unhold",
    summary: "Let a held line back",
    body: BridgeLineInput,
    example: { line: 1 },
    problems: [400, 404, 409, 415, 422],
    handle: async (call) => {
      const { line } = await jsonInput(BridgeLineInput, call.request, call.query);
      return verbAnswer(await call.dependencies.exchange.bridges.hold(bridgeId(call), line, false));
    },
  },
];
