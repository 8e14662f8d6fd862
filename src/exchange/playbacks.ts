/** All lines' playbacks, found by their ids. */
import type { PlaybackStatus, Playbacks } from "./playback";
import type { Playout } from "./playout";
import { Refusal } from "./verbs";

export class LinePlaybacks implements Playbacks {
  constructor(private readonly playouts: readonly Playout[]) {}

  list(line: number): PlaybackStatus[] {
    return this.#ofLine(line).list();
  }

  find(playbackId: string): PlaybackStatus {
    for (const playout of this.playouts) {
      const found = playout.find(playbackId);
      if (found) return found;
    }
    throw new Refusal("unknown_playback", "There is no such playback: GET /playbacks lists those of a line.");
  }

  pause(playbackId: string): Promise<PlaybackStatus> {
    return this.#of(playbackId).pause(playbackId);
  }

  resume(playbackId: string): Promise<PlaybackStatus> {
    return this.#of(playbackId).resume(playbackId);
  }

  async seek(playbackId: string, positionMs: number): Promise<PlaybackStatus> {
    return this.#of(playbackId).seek(playbackId, positionMs);
  }

  stop(playbackId: string): Promise<PlaybackStatus> {
    return this.#of(playbackId).stop(playbackId);
  }

  stopAll(line: number): Promise<PlaybackStatus[]> {
    return this.#ofLine(line).stopAll();
  }

  #of(playbackId: string): Playout {
    return this.#ofLine(this.find(playbackId).line);
  }

  #ofLine(line: number): Playout {
    const playout = this.playouts.find((each) => each.line === line);
    if (!playout) throw new Refusal("unknown_line", `There is no line ${line}: GET /lines lists them.`);
    return playout;
  }
}
