/** What the verbs of bridges take and give. */
import { Type } from "@sinclair/typebox";
import { RingInput } from "./schema";

const closed = { additionalProperties: false } as const;

const ring = Type.Optional(
  Type.Boolean({
    description:
      "Ring those that are on-hook, with the options of POST /ring; each joins at its answer. Omitted: 409",
    examples: [true],
  }),
);
const line = Type.Integer({ description: "A line of GET /lines", examples: [1] });

export const BridgeInput = Type.Object(
  {
    lines: Type.Array(Type.Integer(), {
      minItems: 2,
      maxItems: 8,
      description: "Two or more",
      examples: [[1, 2]],
    }),
    ring,
    ...RingInput.properties,
  },
  closed,
);
export const BridgeAddInput = Type.Object({ line, ring, ...RingInput.properties }, closed);
export const BridgeLineInput = Type.Object({ line }, closed);

const members = {
  bridge_id: Type.String({ examples: ["019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10"] }),
  lines: Type.Array(
    Type.Object({
      line: Type.Integer({ examples: [1] }),
      state: Type.Union([Type.Literal("ringing"), Type.Literal("joined"), Type.Literal("held")], {
        description: "ringing: joins at its answer; held: neither hears nor is heard",
      }),
    }),
  ),
};
export const BridgeAnswer = Type.Object(members);
export const BridgeVerbAnswer = Type.Object({ status: Type.Literal("success"), ...members });
export const BridgesAnswer = Type.Object({ bridges: Type.Array(BridgeAnswer) });
