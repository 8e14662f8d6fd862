/** What a hand on a simulated telephone does. */
import { Type } from "@sinclair/typebox";
import { closed } from "./schema";

export const PressInput = Type.Object(
  {
    digits: Type.String({
      pattern: "^[0-9*#A-Da-d]{1,64}$",
      description: "1 to 64 of 0-9 * # A-D",
      examples: ["123#"],
    }),
    on_ms: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: "Omitted: 100" })),
    off_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, description: "Omitted: 100" })),
    level_dbm0: Type.Optional(
      Type.Number({ minimum: -60, maximum: 3, description: "Of each tone; omitted: −10" }),
    ),
    twist_db: Type.Optional(
      Type.Number({ minimum: -20, maximum: 20, description: "High group over low group; omitted: 0" }),
    ),
  },
  closed,
);

export const PulseInput = Type.Object(
  {
    digits: Type.String({ pattern: "^[0-9]{1,64}$", description: "1 to 64 of 0-9", examples: ["190"] }),
    break_ms: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: "Of each pulse; omitted: 60", examples: [60] }),
    ),
    make_ms: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: "Between two pulses; omitted: 40", examples: [40] }),
    ),
  },
  closed,
);

export const FlashInput = Type.Object(
  {
    duration_ms: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: "Omitted: 300", examples: [300] }),
    ),
  },
  closed,
);

export const VoltageInput = Type.Object(
  { volts: Type.Number({ minimum: 0, maximum: 200, description: "Between tip and ring", examples: [42] }) },
  closed,
);

export const EarQuery = Type.Object(
  { seconds: Type.Optional(Type.Number({ minimum: 0.02, maximum: 32, description: "Omitted: 5" })) },
  closed,
);

export const TelephoneAnswer = Type.Object({
  line: Type.Integer(),
  hook: Type.String({ description: "on_hook or off_hook" }),
  bell: Type.Object({ ringing: Type.Boolean(), bursts: Type.Integer({ description: "So far" }) }),
  voltage: Type.Number({ description: "V between tip and ring" }),
  plugged: Type.Boolean(),
  polarity_reversed: Type.Boolean({ description: "Tip and ring are exchanged" }),
  message_lamp: Type.Boolean({ description: "Lit by the card's voltage (message_waiting.lamp)" }),
});
