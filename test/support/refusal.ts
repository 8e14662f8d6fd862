import { Refusal } from "../../src/exchange/verbs";
import { RecordingStoreError } from "../../src/recordings/recording";

/** The code of what was refused; "worked" where nothing was. Whatever else goes wrong is thrown. */
export async function refusal(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof Refusal || error instanceof RecordingStoreError) return error.code;
    throw error;
  }
  return "worked";
}
