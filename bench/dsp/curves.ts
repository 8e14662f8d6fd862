/** Draws what was measured, by gnuplot. */
import type { Axis, VoiceScore } from "./programs";
import { MEAN, VOICE_MUST } from "./table";

/** Told apart by the colour-blind as well (Okabe and Ito 2008). */
const BLUE = "#0072B2";
const ORANGE = "#D55E00";
const GREY = "#8C8C8C";
const MUST = "#E6F1F8";
const GRID = 'lt 1 lw 1 lc rgb "#D8D8D8"';
const COLUMNS = 6;
const FONT = "DejaVu Sans";

async function gnuplot(script: string): Promise<void> {
  const child = Bun.spawn(["gnuplot"], { stdin: new Blob([script]), stdout: "ignore", stderr: "pipe" });
  const errors = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`gnuplot: ${errors.slice(0, 1000)}`);
}

const quoted = (text: string): string => `"${text.replaceAll('"', '\\"')}"`;
/** The program writes ASCII where a typesetter would not. */
const typeset = (text: string): string => text.replaceAll(/-(?=\d)/g, "−");

const SERIES = [
  { title: "ours", style: `lc rgb "${BLUE}" lw 4 dt 1` },
  { title: "spandsp", style: `lc rgb "${ORANGE}" lw 2.5 dt 1` },
  { title: "Goertzel", style: `lc rgb "${GREY}" lw 2.5 dt 1` },
];

function panel(axis: Axis, i: number): string[] {
  const xs = axis.curve.map(({ x }) => x);
  const low = Math.min(...xs);
  const high = Math.max(...xs);
  const plots = SERIES.map(({ style }, detector) => `$P${i} using 1:(100 * $${detector + 2}) with lines ${style}`);
  return [
    `$P${i} << EOD`,
    ...axis.curve.map(({ x, rate }) => [x, ...rate].join(" ")),
    "EOD",
    `set title ${quoted(typeset(axis.axis))}`,
    `set xlabel ${quoted(axis.unit === "steps" ? "S16 steps" : axis.unit)}`,
    `set xrange [${low}:${high}]`,
    `set xtics ${tick(high - low)}`,
    `set object 1 rectangle from ${axis.outwards > 0 ? low : high}, graph 0 to ${axis.required}, graph 1 behind fs solid noborder fc rgb "${MUST}"`,
    `set arrow 1 from ${axis.required}, graph 0 to ${axis.required}, graph 1 nohead dt 2 lw 2 lc rgb "black"`,
    `plot ${plots.reverse().join(", ")}`,
    "unset arrow 1",
    "unset object 1",
  ];
}

/** About five to a panel, at 1, 2 or 5 times a power of ten. */
function tick(span: number): number {
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].find((times) => times * power >= span / 5) ?? 10;
  return step * power;
}

/** A panel for each axis; where ours must be right is shaded, up to a dashed line. The last place has the key. */
export function drawCurves(axes: Axis[], path: string): Promise<void> {
  const rows = Math.ceil((axes.length + 1) / COLUMNS);
  const keys = [
    ...SERIES.map(({ title, style }) => `NaN with lines ${style} title ${quoted(title)}`),
    `NaN with lines dt 2 lw 2 lc rgb "black" title "ours must reach"`,
    `NaN with boxes fs solid noborder fc rgb "${MUST}" title "and be right here"`,
  ];
  return gnuplot(
    [
      `set terminal pngcairo size ${COLUMNS * 430},${rows * 340 + 60} font "${FONT},13" noenhanced`,
      `set output ${quoted(path)}`,
      `set multiplot layout ${rows},${COLUMNS} title "DTMF: groups of digits exactly right, in %" font "${FONT},18"`,
      "set yrange [-3:103]",
      "set ytics 25",
      `set grid ${GRID}`,
      'set border 3 lc rgb "#606060"',
      "set tics nomirror",
      "set lmargin 6",
      "set rmargin 3",
      "set tmargin 3",
      "set bmargin 4",
      "unset key",
      ...axes.flatMap(panel),
      "unset title",
      "unset xlabel",
      "unset border",
      "unset tics",
      "unset grid",
      "set key center center spacing 1.6 samplen 3",
      `plot [0:1] ${keys.join(", ")}`,
      "unset multiplot",
    ].join("\n"),
  );
}

const BARS: [detector: string, title: string, colour: string][] = [
  ["ours", "ours", BLUE],
  ["webrtc 0", "WebRTC mode 0", "#F6C9A6"],
  ["webrtc 1", "mode 1", "#EDA46B"],
  ["webrtc 2", "mode 2", "#E07A30"],
  ["webrtc 3", "mode 3", "#A84900"],
  ["-50 dBFS", "threshold −50 dBFS", GREY],
];

export function drawVoice(scores: VoiceScore[], path: string): Promise<void> {
  const conditions = [...new Set(scores.map(({ condition }) => condition))];
  const bars = BARS.filter(([detector]) => scores.some((score) => score.detector === detector));
  const table = (name: string, value: (score: VoiceScore) => number): string[] => [
    `$${name} << EOD`,
    ...conditions.map((condition) =>
      [
        quoted(condition === MEAN ? "mean of 19" : typeset(condition)),
        ...bars.map(([detector]) => {
          const score = scores.find((one) => one.condition === condition && one.detector === detector);
          return score ? value(score) : "NaN";
        }),
      ].join(" "),
    ),
    "EOD",
  ];
  const plot = (name: string, titled: boolean, must: number): string => {
    const key = (title: string): string => (titled ? `title ${quoted(title)}` : "notitle");
    return `plot ${[
      ...bars.map(
        ([, title, colour], i) =>
          `$${name} using ${i + 2}${i === 0 ? ":xtic(1)" : ""} lc rgb "${colour}" ${key(title)}`,
      ),
      `${must} with lines dt 2 lw 2 lc rgb "black" ${key("mean of ours must reach")}`,
    ].join(", ")}`;
  };
  return gnuplot(
    [
      `set terminal pngcairo size 2400,1300 font "${FONT},14" noenhanced`,
      `set output ${quoted(path)}`,
      ...table("F1", ({ f1 }) => f1),
      ...table("BALANCED", ({ balancedAccuracy }) => balancedAccuracy),
      `set multiplot layout 2,1 title "Voice activity by condition (SNR in dB, quiet: level in dB)" font "${FONT},18"`,
      "set style data histograms",
      "set style histogram clustered gap 1.5",
      "set style fill solid 1.0 noborder",
      "set yrange [0:1]",
      "set ytics 0.1",
      `set grid ytics ${GRID}`,
      'set border 3 lc rgb "#606060"',
      "set tics nomirror",
      "set xtics rotate by -35 scale 0",
      "set lmargin 9",
      "set rmargin 3",
      "set bmargin 5",
      "set key outside top center horizontal samplen 1.5",
      'set ylabel "F1"',
      plot("F1", true, VOICE_MUST.f1),
      "unset key",
      'set ylabel "balanced accuracy (0.5: chance)"',
      plot("BALANCED", false, VOICE_MUST.balancedAccuracy),
      "unset multiplot",
    ].join("\n"),
  );
}
