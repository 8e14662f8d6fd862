/** Who is on a bridge, and what becomes of them: pure, as the line machine is. */

import type { BridgeLeaveReason } from "../line/state";

/** ringing: joins at its answer; held: stays, and neither hears nor is heard. */
export type MemberState = "ringing" | "joined" | "held";

export type Members = ReadonlyMap<number, MemberState>;

export interface MemberLine {
  inService: boolean;
  lifted: boolean;
  /** Its bell rings, or is about to. */
  ringing: boolean;
}

/** What its telephone has done to a member; null: nothing. */
export function memberMoved(
  state: MemberState,
  line: MemberLine,
): { joins: true } | { leaves: BridgeLeaveReason } | null {
  if (!line.inService) return { leaves: "line_down" };
  if (state !== "ringing") return line.lifted ? null : { leaves: "hung_up" };
  if (line.lifted) return { joins: true };
  return line.ringing ? null : { leaves: "no_answer" };
}

/** The last one is not left on a bridge of its own. */
export const leftAlone = (members: Members): number | null => {
  const [only, second] = members.keys();
  return only !== undefined && second === undefined ? only : null;
};
