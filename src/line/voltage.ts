/**
 * What a line's voltage says of it. Cards feed a nominal 48 V; a good loop drops to what the telephone's resistance
 * leaves of it when lifted. Wide on purpose: outside of these the line or the card is broken, not merely long.
 */
const NORMAL_ON_HOOK_V = { low: 38, high: 60 };
const NORMAL_LIFTED_V = { low: 3, high: 30 };

export function voltageStatus(volts: number, lifted: boolean): "low" | "normal" | "high" {
  const normal = lifted ? NORMAL_LIFTED_V : NORMAL_ON_HOOK_V;
  if (volts < normal.low) return "low";
  return volts > normal.high ? "high" : "normal";
}
