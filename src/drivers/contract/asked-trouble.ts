import type { BackendTrouble } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** Asks for something that work needs: none when it answers, else why it does not. */
export async function askedTrouble(
  ask: () => Promise<unknown>,
  hint?: string,
): Promise<readonly BackendTrouble[]> {
  try {
    await ask();
    return [];
  } catch (thrown) {
    const error = EngineError.from(thrown);
    if (error.code === "CANCELLED") throw error;
    return [{ state: "failed", message: error.message, hint: error.hint ?? hint }];
  }
}
