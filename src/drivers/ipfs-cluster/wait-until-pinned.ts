import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "#model/engine-error.ts";
import { cancelled } from "#drivers/contract/cancelled.ts";
import type { ClusterClient } from "#drivers/ipfs-cluster/cluster-client.ts";
import {
  describeStanding,
  type PinStanding,
  pinStanding,
  type WantedPin,
} from "#drivers/ipfs-cluster/pin-info.ts";

/** Asked soon at first, since blocks that are there already are pinned at once, then rarely. */
const pollMinMs = 25;
const pollMaxMs = 2_000;
/** When to come back to a pin that takes longer than a write waits. */
const comeBackMs = 15_000;

/** Whether as many peers have pinned as the pin asks for. */
export function isPinnedEnough(
  standing: PinStanding,
  { replication_factor_min: min }: Pick<WantedPin, "replication_factor_min">,
): boolean {
  const { pinned, waiting, failed, unknown } = standing;
  const all = pinned.length + waiting.length + failed.length + unknown.length;
  return pinned.length > 0 && pinned.length >= (min < 0 ? all : min);
}

/**
 * Waits until enough peers have pinned. Peers where it failed are told once to try again. When it
 * takes longer, the step that asked comes back for it: the pin stays, and a later write finds it.
 */
export async function waitUntilPinned(
  client: ClusterClient,
  pin: WantedPin,
  options: {
    readonly backend: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { backend, timeoutMs, signal } = options;
  const { cid } = pin;
  const deadline = performance.now() + timeoutMs;
  let recovered = false;
  for (let delayMs = pollMinMs; ; delayMs = Math.min(delayMs * 1.6, pollMaxMs)) {
    const standing = pinStanding(await client.standing(cid, { signal }));
    if (isPinnedEnough(standing, pin)) return;
    const { waiting, failed } = standing;
    const words = `${backend}: ${cid} is ${describeStanding(standing)}`;
    if (failed.length > 0 && waiting.length === 0) {
      if (!recovered) await client.recover(cid, { signal });
      // A peer that has not pinned yet what it should has failed at nothing: it is waited for.
      else if (failed.some(({ status }) => status !== "unexpectedly_unpinned")) {
        throw new EngineError("UNAVAILABLE", words, { hint: failedHint });
      }
      recovered = true;
    }
    if (performance.now() + delayMs > deadline) {
      throw new EngineError("TIMEOUT", words, {
        retryable: false,
        retryAfterMs: comeBackMs,
        details: { wait: "pin" },
        hint: "the cluster goes on pinning; raise `pinTimeout` if this is its usual pace",
      });
    }
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal }).catch(() => {
      if (signal !== undefined) throw cancelled(signal, `waiting for the pin of ${cid}`);
    });
  }
}

const failedHint = "see `ipfs-cluster-ctl status` and the logs of these peers and their IPFS nodes";
