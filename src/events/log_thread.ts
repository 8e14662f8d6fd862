/** The thread that alone touches the disk: a card that stalls for seconds delays no event. */
import { LogKeeper } from "./log_keeper";
import type { ToLogThread } from "./log_messages";

declare const self: Worker;

const keeper = new LogKeeper((message) => self.postMessage(message), {
  nowMs: () => Date.now(),
  steadyMs: () => performance.now(),
  after: (ms, call) => {
    setTimeout(call, ms);
  },
});
self.onmessage = ({ data }: MessageEvent<ToLogThread>) => keeper.handle(data);
