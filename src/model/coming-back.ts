import type { EngineError } from "#model/engine-error.ts";
import type { WaitReason } from "#model/wait.ts";

/** What a step waits for without a worker: it comes back and looks again. */
const reasons: readonly unknown[] = ["thaw", "pin"] satisfies readonly WaitReason[];

/**
 * Whether nothing failed and a service only needs its time: an archive restores what is to be
 * read, or nodes fetch what they are to pin. Whoever met it goes on with other objects, and the
 * step comes back. Drivers say so with `details: { wait: "pin" }`, and when to look again.
 */
export function comesBack({ details }: EngineError): boolean {
  return reasons.includes(details["wait"]);
}
