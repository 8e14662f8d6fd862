import { describe, expect, test } from "bun:test";
import type { Axis, VoiceScore } from "../../../bench/dsp/programs";
import { axisRows, bestMode, costRow, lawRow, markdown, talkOffRow, voiceTable } from "../../../bench/dsp/table";

const NAMES = [
  "shortest tone accepted",
  "longest tone rejected",
  "same-digit pause",
  "silent break not splitting",
  "lost frame, zeroed, 120 ms tone",
  "lost frame, frozen, 120 ms tone",
  "lost frame, zeroed, short tone",
  "lost frame, frozen, short tone",
  "corners ±(x % + 2 Hz) accepted",
  "one tone off by x % rejected",
  "twist, low group louder",
  "twist, high group louder",
  "lowest level",
  "highest level",
  "SNR",
  "45 ms, 1.5 % off, twist 8 … −4, SNR",
  "behind dial tone 350 + 440",
  "behind dial tone 425",
  "hum 50 Hz",
  "hum 60 Hz",
  "DC offset",
  "echo 20 ms",
  "echo of -10 dB, delay",
];
const axis = (name: string, changes: Partial<Axis> = {}): Axis => ({
  axis: name,
  unit: "ms",
  curve: [1.5, 3.5, 10, 15].map((x) => ({ x, rate: [1, 0.5, 0] })),
  required: -44,
  outwards: -1,
  reject: false,
  met: true,
  limit: [-45, 1500, null],
  atRequired: [1, 0.5, 0],
  ...changes,
});
const axes = (name = "", changes: Partial<Axis> = {}): Axis[] =>
  NAMES.map((one) => axis(one, one === name ? changes : {}));
const missed = (measured: Axis[]): string[] =>
  axisRows(measured, [])
    .filter(({ met }) => !met)
    .map((row) => row.axis);

describe("the table of make bench-dsp", () => {
  test("has a line for every axis that is measured", async () => {
    const source = await Bun.file("bench/dsp/dtmf_axes.h").text();
    const measured = [...source.matchAll(/^ {4}\{"([^"]+)", "/gm)].map(([, name]) => name ?? "");
    expect(measured).toEqual(NAMES);
    expect(missed(axes())).toEqual([]);
  });

  test("one axis of a shared line that is not met makes the line not met", () => {
    expect(missed(axes("highest level", { met: false }))).toEqual(["level: lowest / highest"]);
  });

  test("limits, requirements and what fails are told with sign and unit", () => {
    const row = axisRows(axes(), []).find((one) => one.axis === "DC offset");
    expect(row).toMatchObject({ ours: "−45 steps", peers: ["1,500 steps", "fails steps"], must: "≤ −44 steps" });
  });

  test("where all groups are wanted, 99.5 % is not enough", () => {
    const nearly = { curve: [{ x: 1.5, rate: [0.995, 0, 0] }] };
    expect(missed(axes("corners ±(x % + 2 Hz) accepted", nearly))).toEqual([
      "both tones off by ±(1.5 % + 2 Hz): accepted",
    ]);
  });

  test("a combined condition has to be met at each of its SNRs", () => {
    const at15Only = {
      curve: [
        { x: 15, rate: [1, 0, 0] },
        { x: 10, rate: [0.98, 0, 0] },
      ],
    };
    expect(missed(axes("45 ms, 1.5 % off, twist 8 … −4, SNR", at15Only))).toHaveLength(1);
  });

  test("codec, talk-off and cost are limits from above", () => {
    expect(lawRow("A-law", axes("SNR", { met: false }))).toMatchObject({ ours: "22 of 23", met: false });
    expect(talkOffRow({ name: "speech", hours: 2, digits: [1, 0, 5] }, 0).met).toBe(false);
    expect(talkOffRow({ name: "speech", hours: 2, digits: [3, 0, 5] }, 3)).toMatchObject({
      must: "≤ 3",
      met: true,
    });
    expect(costRow("speech", [12.1, 66, 119], 12).met).toBe(false);
  });

  test("what was not counted is not met", () => {
    expect(talkOffRow({ name: "speech", hours: 2, digits: [] }, 0).met).toBe(false);
    expect(costRow("speech", [], 12).met).toBe(false);
  });
});

const CONDITIONS = ["clean", "white 10", "hiss 10", "hum 10", "babble 20", "babble 15", "babble 10", "mean of 19"];
const score = (condition: string, detector: string, f1: number): VoiceScore => ({
  condition,
  detector,
  f1,
  balancedAccuracy: f1,
  onsetMs: condition === "clean" ? 5 : 25,
});
const scores = (theirs: [string, number][]): VoiceScore[] =>
  CONDITIONS.flatMap((condition) => [
    score(condition, "ours", 0.95),
    score(condition, "-50 dBFS", 0.6),
    ...theirs.map(([detector, f1]) => score(condition, detector, f1)),
  ]);

describe("its voice activity", () => {
  const modes: [string, number][] = [
    ["webrtc 0", 0.8],
    ["webrtc 2", 0.9],
    ["webrtc 3", 0.85],
  ];

  test("is compared with WebRTC's best mode", () => {
    expect(bestMode(scores(modes))).toBe("webrtc 2");
    const table = voiceTable(scores(modes), new Map([["ours", 1959.4]]));
    expect(table.peers).toEqual(["WebRTC, its best mode (2)", "threshold −50 dBFS"]);
    expect(table.rows.filter(({ met }) => !met)).toEqual([]);
    expect(table.rows.at(-1)).toMatchObject({ ours: "1,959", peers: ["–", "–"] });
  });

  test("is not met where WebRTC is better, nor when a frame costs too much", () => {
    const worse = voiceTable(scores([["webrtc 1", 0.96]]), new Map([["ours", 2001]]));
    expect(worse.rows.filter(({ met }) => !met).map((row) => row.axis)).toEqual([
      "F1 / balanced accuracy, clean",
      "F1 / balanced accuracy, babble 20 dB",
      "F1 / balanced accuracy, babble 15 dB",
      "F1 / balanced accuracy, babble 10 dB",
      "instructions per 20 ms frame, recorded speech",
    ]);
  });

  test("is measured without WebRTC as well", () => {
    expect(voiceTable(scores([]), new Map()).peers).toEqual(["threshold −50 dBFS"]);
  });

  test("is told as Markdown, with a cross where it is not met", () => {
    const text = markdown(voiceTable(scores([["webrtc 1", 0.96]]), new Map()));
    expect(text).toStartWith("## Voice activity\n\n| axis ");
    expect(text.match(/✗ {3}\|/g)).toHaveLength(4);
  });
});
