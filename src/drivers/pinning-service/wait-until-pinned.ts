import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "#model/engine-error.ts";
import { cancelled } from "#drivers/contract/cancelled.ts";
import { describeRequest, type PinRequest } from "#drivers/pinning-service/pin-request.ts";
import type { PinningClient } from "#drivers/pinning-service/pinning-client.ts";

/** Services count requests: they are asked soon at first, then rarely. */
const pollMinMs = 50;
const pollMaxMs = 10_000;
/** A part of a service may not have heard for so long what another part has taken on. */
const unheardMs = 5_000;
/** When to come back to a pin that takes longer than a write waits. */
const comeBackMs = 60_000;

/**
 * Waits until a request is pinned. When it takes longer, the step that asked comes back for it: a
 * later write finds the request. UNAVAILABLE when the service gave up; a new try replaces it.
 */
export async function waitUntilPinned(
  client: PinningClient,
  request: PinRequest,
  options: {
    readonly backend: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<PinRequest> {
  const { backend, timeoutMs, signal } = options;
  const deadline = performance.now() + timeoutMs;
  let standing = request;
  let unheardSince: number | undefined;
  let wasHeard = false;
  for (let delayMs = pollMinMs; ; delayMs = Math.min(delayMs * 1.6, pollMaxMs)) {
    if (standing.status === "pinned") return standing;
    const words = `${backend}: ${request.pin.cid}: ${describeRequest(standing)}`;
    if (standing.status === "failed") {
      throw new EngineError("UNAVAILABLE", words, {
        hint: "see to it that the service can reach a node with this content: `node`, `origins`",
      });
    }
    const isOver = performance.now() + delayMs > deadline;
    const isGone =
      unheardSince !== undefined &&
      (performance.now() - unheardSince > unheardMs || (wasHeard && isOver));
    if (isGone) {
      const message = `${backend}: request ${request.requestid} was deleted by somebody`;
      throw new EngineError("CONFLICT", message);
    }
    if (isOver) {
      throw new EngineError("TIMEOUT", words, {
        retryable: false,
        retryAfterMs: comeBackMs,
        details: { wait: "pin" },
        hint: "the service goes on; what it fetches from must stay reachable meanwhile",
      });
    }
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal }).catch(() => {
      if (signal !== undefined) throw cancelled(signal, `waiting for the pin of ${words}`);
    });
    const found = await client.get(request.requestid, { signal });
    if (found !== undefined) {
      standing = found;
      wasHeard = true;
    }
    unheardSince = found === undefined ? (unheardSince ?? performance.now()) : undefined;
  }
}
