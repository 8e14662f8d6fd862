/** One of the lanes over which a line is spoken to: a sample ring of its own, added to the others by the I/O thread. */
import { Barge, TalkStatsField, TalkStatsSize } from "./abi.gen";
import { check, type DriverEngine } from "./engine";

/** Where what plays one after another is heard. */
export const QUEUE_LANE = 0;

/** What the person on the line may cut a playback short with. */
export interface BargeIn {
  dtmf: boolean;
  voice: boolean;
}

/** Since openTalk. An underrun is silence of less than 500 ms because nothing had come: longer is a pause. */
export interface TalkStats {
  underruns: number;
  lateSamples: number;
  droppedSamples: number;
  queuedSamples: number;
}

export class PlayLane {
  readonly #stats = new DataView(new ArrayBuffer(TalkStatsSize));

  constructor(
    private readonly engine: DriverEngine,
    private readonly line: number,
    readonly number: number,
  ) {}

  nowNs(): number {
    return this.engine.nowNs();
  }

  /** Samples ever accepted by `write`: the place where the next one will be. */
  position(): number {
    return this.engine.shim.dshim_play_position(this.engine.handle, this.line, this.number);
  }

  /** How many of the samples fitted. */
  write(samples: Int16Array): number {
    if (samples.length === 0) return 0;
    const { shim, handle } = this.engine;
    return shim.dshim_play_write(handle, this.line, this.number, samples, samples.length);
  }

  begin(mark: number, position: number): Promise<void> {
    return this.engine.command((shim, handle) =>
      shim.dshim_play_begin(handle, this.line, this.number, mark, position),
    );
  }

  end(mark: number, position: number): Promise<void> {
    return this.engine.command((shim, handle) =>
      shim.dshim_play_end(handle, this.line, this.number, mark, position),
    );
  }

  flush(): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_play_flush(handle, this.line, this.number));
  }

  /** Takes out what was written from there on and has not come to its turn: rejects where that has. */
  skip(position: number): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_play_skip(handle, this.line, this.number, position));
  }

  /** Stops it with a fade, or lets it go on with the very sample at which it stopped. */
  hold(held: boolean): Promise<void> {
    return this.engine.command((shim, handle) =>
      shim.dshim_play_hold(handle, this.line, this.number, held ? 1 : 0),
    );
  }

  /** Once `begin` was called. What it cuts off is told by play_done; then the lane is silent until `flush`. */
  barge(mark: number, on: BargeIn): Promise<void> {
    const flags = (on.dtmf ? Barge.Dtmf : 0) | (on.voice ? Barge.Voice : 0);
    return this.engine.command((shim, handle) =>
      shim.dshim_play_barge(handle, this.line, this.number, mark, flags),
    );
  }

  /** A talker's lane: what is written is live audio, heard when targetMs of it have come. maxMs 0: none is dropped. */
  openTalk(targetMs: number, maxMs: number): Promise<void> {
    return this.engine.command((shim, handle) =>
      shim.dshim_talk_open(handle, this.line, this.number, targetMs, maxMs),
    );
  }

  closeTalk(): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_talk_close(handle, this.line, this.number));
  }

  talkStats(): TalkStats {
    const { shim, handle } = this.engine;
    check(shim.dshim_talk_stats(handle, this.line, this.number, new Uint8Array(this.#stats.buffer)));
    const count = (at: number): number => Number(this.#stats.getBigInt64(at, true));
    return {
      underruns: count(TalkStatsField.underruns.offset),
      lateSamples: count(TalkStatsField.late_samples.offset),
      droppedSamples: count(TalkStatsField.dropped_samples.offset),
      queuedSamples: this.#stats.getInt32(TalkStatsField.queued_samples.offset, true),
    };
  }
}
