/** What must be met, line by line, from what was measured; and the tables as Markdown. */
import type { Axis, TalkOff, Timing, VoiceScore } from "./programs";

export interface Row {
  axis: string;
  peers: string[];
  ours: string;
  must: string;
  met: boolean;
}
export interface Table {
  title: string;
  peers: string[];
  rows: Row[];
}

/** Axes of dtmf_axes.h that share a line. */
const LINES: { axis: string; of: string[]; unit: string }[] = [
  {
    axis: "shortest tone accepted / longest rejected",
    of: ["shortest tone accepted", "longest tone rejected"],
    unit: "ms",
  },
  { axis: "pause between two of the same digit", of: ["same-digit pause"], unit: "ms" },
  {
    axis: "break that must not split a tone: silence / lost frame zeroed / frozen",
    of: ["silent break not splitting", "lost frame, zeroed, 120 ms tone", "lost frame, frozen, 120 ms tone"],
    unit: "ms",
  },
  {
    axis: "the same in short tones: zeroed / frozen",
    of: ["lost frame, zeroed, short tone", "lost frame, frozen, short tone"],
    unit: "ms",
  },
  {
    axis: "twist: low / high group louder",
    of: ["twist, low group louder", "twist, high group louder"],
    unit: "dB",
  },
  { axis: "level: lowest / highest", of: ["lowest level", "highest level"], unit: "dBm0" },
  { axis: "SNR", of: ["SNR"], unit: "dB" },
  {
    axis: "behind dial tone: 350 + 440 / 425 Hz",
    of: ["behind dial tone 350 + 440", "behind dial tone 425"],
    unit: "dB",
  },
  { axis: "hum: 50 / 60 Hz", of: ["hum 50 Hz", "hum 60 Hz"], unit: "dB" },
  { axis: "DC offset", of: ["DC offset"], unit: "steps" },
  { axis: "echo after 20 ms", of: ["echo 20 ms"], unit: "dB" },
  { axis: "echo of −10 dB: none doubled up to", of: ["echo of -10 dB, delay"], unit: "ms" },
];
/** These are told at one x: the part of the groups that came out right. */
const RATES: { axis: string; of: string; at: number[]; least: number }[] = [
  {
    axis: "both tones off by ±(1.5 % + 2 Hz): accepted",
    of: "corners ±(x % + 2 Hz) accepted",
    at: [1.5],
    least: 1,
  },
  { axis: "one tone off by 3.5 %: rejected", of: "one tone off by x % rejected", at: [3.5], least: 1 },
  {
    axis: "45 ms, 1.5 % off, twist −4 … 8 dB, SNR 15 / 10 dB",
    of: "45 ms, 1.5 % off, twist 8 … −4, SNR",
    at: [15, 10],
    least: 0.99,
  },
];
const PEERS = [1, 2];

const sign = (value: number, decimals = 1): string =>
  String(Number(value.toFixed(decimals)))
    .replace("-", "−")
    .replace(/\B(?=(\d{3})+$)/, ",");
const percent = (part: number): string => `${sign(100 * part)} %`;
const limit = (value: number | null | undefined): string => (value == null ? "fails" : sign(value));

function ofAxis(axes: Axis[], name: string): Axis {
  const found = axes.find(({ axis }) => axis === name);
  if (!found) throw new Error(`bench_dtmf measured no "${name}"`);
  return found;
}

function limitRow({ axis, of, unit }: (typeof LINES)[number], measured: Axis[]): Row {
  const axes = of.map((name) => ofAxis(measured, name));
  const cell = (detector: number): string =>
    `${axes.map((one) => limit(one.limit[detector])).join(" / ")} ${unit}`;
  return {
    axis,
    peers: PEERS.map(cell),
    ours: cell(0),
    must: `${axes.map((one) => `${one.outwards > 0 ? "≥" : "≤"} ${sign(one.required)}`).join(" / ")} ${unit}`,
    met: axes.every(({ met }) => met),
  };
}

function rateRow({ axis, of, at, least }: (typeof RATES)[number], measured: Axis[]): Row {
  const { curve } = ofAxis(measured, of);
  const rates = (detector: number): number[] =>
    at.map((x) => curve.find((point) => Math.abs(point.x - x) < 1e-6)?.rate[detector] ?? Number.NaN);
  const cell = (detector: number): string => rates(detector).map(percent).join(" / ");
  return {
    axis,
    peers: PEERS.map(cell),
    ours: cell(0),
    must: least === 1 ? "100 %" : `≥ ${percent(least)}`,
    met: rates(0).every((rate) => rate >= least),
  };
}

function timingRow({ timing, required, met, onsetMs, durationMs }: Timing): Row {
  const cell = (detector: number): string => `${limit(onsetMs[detector])} / ${limit(durationMs[detector])} ms`;
  return {
    axis: `worst onset / duration error, ${timing}`,
    peers: PEERS.map(cell),
    ours: cell(0),
    must: `≤ ${required} / ${required} ms`,
    met,
  };
}

export const axisRows = (axes: Axis[], timings: Timing[]): Row[] => [
  ...LINES.map((line) => limitRow(line, axes)),
  ...RATES.map((line) => rateRow(line, axes)),
  ...timings.map(timingRow),
];

/** Through a codec only what is required is measured, and only of ours. */
export const lawRow = (law: string, axes: Axis[]): Row => ({
  axis: `all axes at their required values, through ${law}`,
  peers: PEERS.map(() => "–"),
  ours: `${axes.filter(({ met }) => met).length} of ${axes.length}`,
  must: `${axes.length}`,
  met: axes.every(({ met }) => met),
});

export const talkOffRow = ({ name, hours, digits }: TalkOff, most: number): Row => ({
  axis: `talk-off: ${name}, ${hours.toFixed(1)} h`,
  peers: PEERS.map((detector) => String(digits[detector])),
  ours: String(digits[0]),
  must: most === 0 ? "0" : `≤ ${most}`,
  met: (digits[0] ?? Number.NaN) <= most,
});

export const costRow = (name: string, instructions: number[], most: number): Row => ({
  axis: `instructions per sample, ${name}`,
  peers: PEERS.map((detector) => sign(instructions[detector] ?? Number.NaN)),
  ours: sign(instructions[0] ?? Number.NaN),
  must: `≤ ${most}`,
  met: (instructions[0] ?? Number.NaN) <= most,
});

export const MEAN = "mean of 19";
export const VOICE_MUST = { f1: 0.93, balancedAccuracy: 0.9 };
export const THRESHOLD = "-50 dBFS";
const AT_10_DB = ["white 10", "hiss 10", "hum 10", "babble 10"];
const NOT_BELOW = ["clean", "babble 20", "babble 15", "babble 10"];

/** WebRTC's mode with the highest mean F1; nothing where its library is not here. */
export const bestMode = (scores: VoiceScore[]): string | undefined =>
  scores
    .filter(({ condition, detector }) => condition === MEAN && detector.startsWith("webrtc"))
    .sort((a, b) => b.f1 - a.f1)[0]?.detector;

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** ours, WebRTC's best mode (when it is here), the threshold: instructions of a frame in the same order. */
export function voiceTable(scores: VoiceScore[], instructions: Map<string, number>): Table {
  const mode = bestMode(scores);
  const peers = [...(mode ? [mode] : []), THRESHOLD];
  const of = (detector: string, condition: string): VoiceScore => {
    const found = scores.find((score) => score.detector === detector && score.condition === condition);
    if (!found) throw new Error(`vad_bench measured no ${detector} ${condition}`);
    return found;
  };
  const pair = ({ f1, balancedAccuracy }: VoiceScore): string =>
    `${f1.toFixed(3)} / ${balancedAccuracy.toFixed(3)}`;
  const onset = (detector: string, conditions: string[]): number =>
    mean(conditions.map((condition) => of(detector, condition).onsetMs ?? Number.NaN));
  const onsetRow = (axis: string, conditions: string[], most: number): Row => ({
    axis,
    peers: peers.map((peer) => `${sign(onset(peer, conditions))} ms`),
    ours: `${sign(onset("ours", conditions))} ms`,
    must: `≤ ${most} ms`,
    met: onset("ours", conditions) <= most,
  });
  const overall = of("ours", MEAN);
  const rows: Row[] = [
    {
      axis: "F1 / balanced accuracy, mean of 19 conditions",
      peers: peers.map((peer) => pair(of(peer, MEAN))),
      ours: pair(overall),
      must: `≥ ${VOICE_MUST.f1.toFixed(2)} / ${VOICE_MUST.balancedAccuracy.toFixed(2)}`,
      met: overall.f1 >= VOICE_MUST.f1 && overall.balancedAccuracy >= VOICE_MUST.balancedAccuracy,
    },
    onsetRow("onset latency, clean, mean", ["clean"], 10),
    onsetRow("onset latency, white, hiss, hum, babble at 10 dB, mean", AT_10_DB, 30),
  ];
  for (const condition of mode ? NOT_BELOW : []) {
    const ours = of("ours", condition);
    const theirs = of(mode ?? "", condition);
    rows.push({
      axis: `F1 / balanced accuracy, ${condition}${condition === "clean" ? "" : " dB"}`,
      peers: peers.map((peer) => pair(of(peer, condition))),
      ours: pair(ours),
      must: "≥ WebRTC's",
      met: ours.f1 >= theirs.f1 && ours.balancedAccuracy >= theirs.balancedAccuracy,
    });
  }
  const cost = (detector: string): string => {
    const measured = instructions.get(detector);
    return measured === undefined ? "–" : sign(measured, 0);
  };
  if (instructions.has("ours"))
    rows.push({
      axis: "instructions per 20 ms frame, recorded speech",
      peers: peers.map(cost),
      ours: cost("ours"),
      must: "≤ 2,000",
      met: (instructions.get("ours") ?? Number.NaN) <= 2000,
    });
  return {
    title: "Voice activity",
    peers: peers.map((peer) =>
      peer === mode ? `WebRTC, its best mode (${mode.slice(-1)})` : "threshold −50 dBFS",
    ),
    rows,
  };
}

export function markdown({ title, peers, rows }: Table): string {
  const cells = [
    ["axis", ...peers, "ours", "ours must", "met"],
    ...rows.map(({ axis, peers, ours, must, met }) => [axis, ...peers, ours, must, met ? "✓" : "✗"]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [heads = [], ...body] = cells;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [`## ${title}`, "", line(heads), rule, ...body.map(line), ""].join("\n");
}
