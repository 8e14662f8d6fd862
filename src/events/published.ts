/** An event in its place, and its JSON: made once for each time format and shared by every client. */
import type { LineEvent, LineEventBody } from "../line/events";

/** `z`: 2026-01-29T12:00:00.000Z · `offset`: 2026-01-29T12:00:00.000+00:00. */
export type TimeFormat = "z" | "offset";

export function timestamp(unixMs: number, format: TimeFormat = "z"): string {
  const text = new Date(unixMs).toISOString();
  return format === "z" ? text : `${text.slice(0, -1)}+00:00`;
}

/** The opaque cursor as clients see it. */
export const cursor = (id: number): string => String(id);

/** dBm0 and volts are measured to a tenth; more digits would be noise. */
const tenth = (value: number): number => Math.round(value * 10) / 10;

/** What a client asked its frames to look like. */
export interface FrameFormat {
  time: TimeFormat;
  /** Add `stamp_ns`: CLOCK_MONOTONIC when the I/O thread told it, for measuring latency on one machine. */
  stamp: boolean;
}

export class PublishedEvent implements LineEvent {
  readonly #texts: Record<TimeFormat, { plain: string | null; stamped: string | null }> = {
    z: { plain: null, stamped: null },
    offset: { plain: null, stamped: null },
  };

  constructor(
    readonly id: number,
    readonly line: number,
    readonly atMs: number,
    readonly nativeNs: number,
    readonly body: LineEventBody,
  ) {}

  text({ time, stamp }: FrameFormat): string {
    const texts = this.#texts[time];
    if (!stamp) texts.plain ??= JSON.stringify(this.wire(time));
    else texts.stamped ??= JSON.stringify({ ...this.wire(time), stamp_ns: this.nativeNs });
    return (stamp ? texts.stamped : texts.plain) as string;
  }

  /** The contract's fields, with the older server's names beside them. */
  wire(format: TimeFormat): Record<string, unknown> {
    return {
      type: this.body.type,
      timestamp: timestamp(this.atMs, format),
      line: this.line,
      id: cursor(this.id),
      ...fields(this.body, format),
    };
  }
}

function fields(body: LineEventBody, format: TimeFormat): Record<string, unknown> {
  switch (body.type) {
    case "voice": {
      const level = tenth(body.energyLevel);
      return {
        active: body.active,
        start_time: timestamp(body.startMs, format),
        end_time: body.endMs === null ? null : timestamp(body.endMs, format),
        energy_level: level,
        energy: level,
        segment_level: tenth(body.segmentLevel),
      };
    }
    case "call_progress":
      return {
        tone: body.tone,
        active: body.active,
        start_time: timestamp(body.startMs, format),
        end_time: body.endMs === null ? null : timestamp(body.endMs, format),
        duration: body.endMs === null ? null : Math.round(body.endMs - body.startMs),
        signal_level: tenth(body.level),
      };
    case "dtmf": {
      const { type: _, ...told } = body;
      for (const field of ["signal_level", "pulses_per_second", "break_ratio_percent"] as const) {
        const value = told[field];
        if (value !== undefined) told[field] = tenth(value);
      }
      return told;
    }
    case "voltage_change": {
      const voltage = tenth(body.voltage);
      return { voltage, value: voltage };
    }
    case "error":
      return {
        error_message: body.error.message,
        error_code: body.error.code,
        error: body.error.message,
        fix: body.error.fix,
      };
    default: {
      const { type: _, ...rest } = body;
      return rest;
    }
  }
}
