/** The playbacks of one line that are over, the newest first: as many as a person looks back at. */
import type { PlaybackStatus } from "./playback";

export const REMEMBERED_PLAYBACKS = 32;

export class PlaybackBook {
  #ended: PlaybackStatus[] = [];

  get ended(): readonly PlaybackStatus[] {
    return this.#ended;
  }

  add(status: PlaybackStatus): void {
    this.#ended = [status, ...this.#ended].slice(0, REMEMBERED_PLAYBACKS);
  }

  find(playbackId: string): PlaybackStatus | null {
    return this.#ended.find((status) => status.playbackId === playbackId) ?? null;
  }
}
