/** How every line was before the oldest entry that is still kept: what left the ring, summed up. */
import type { DriverEvent } from "../driver/decode";
import type { OpeningLine } from "./recording";

export class OpeningState {
  readonly #lines: OpeningLine[];

  /** In the engine's order. */
  constructor(lines: readonly { line: number; device: string | null }[]) {
    this.#lines = lines.map(({ line, device }) => ({
      line,
      device,
      in_service: false,
      lifted: false,
      volts: null,
    }));
  }

  left(event: DriverEvent): void {
    const line = this.#lines[event.index];
    if (!line) return;
    if (event.kind === "line_up") {
      line.in_service = true;
      line.lifted = event.lifted;
    } else if (event.kind === "line_down") {
      line.in_service = false;
      line.lifted = false;
    } else if (event.kind === "off_hook") line.lifted = true;
    else if (event.kind === "on_hook") line.lifted = false;
    else if (event.kind === "voltage") line.volts = event.volts;
  }

  get lines(): OpeningLine[] {
    return this.#lines.map((line) => ({ ...line }));
  }
}
