import { EngineError } from "#model/engine-error.ts";
import { permitMarginMs, type RemovalPermit } from "#model/removal.ts";
import type { DispatchContext } from "#jobs/dispatch-context.ts";

const statTimeoutMs = 10_000;

/**
 * Settles permits that ran out with an unknown outcome, once nobody can be using them any more
 * (docs/decisions/0010); those it cannot ask about now wait, and all of them while no permit is
 * issued either: the clock that says so went forward a short time ago, under this controller or
 * the one before (docs/decisions/0116, 0131).
 */
export async function settleExpiredPermits(context: DispatchContext): Promise<void> {
  if (context.permitsHeldMs() > 0) return;
  const before = new Date(context.now().getTime() - permitMarginMs(context.clockSkewMs));
  for (const permit of await context.index.expiredPermits(before)) {
    await settlePermit(permit, context).catch((error: unknown) => {
      context.onError(EngineError.from(error));
    });
  }
}

/** Asks the backend whether the copy is still there, and records the answer as the outcome. */
export async function settlePermit(
  permit: RemovalPermit,
  context: Pick<DispatchContext, "drivers" | "index" | "now">,
): Promise<void> {
  const driver = context.drivers.get(permit.backend);
  if (driver === undefined) {
    const message = `the controller has no driver for ${permit.backend} to settle a removal`;
    throw new EngineError("NOT_FOUND", message, { hint: "add the backend back, then try again" });
  }
  const found = await driver.stat(permit, { signal: AbortSignal.timeout(statTimeoutMs) });
  const now = context.now();
  const evidence = {
    backend: permit.backend,
    cid: permit.cid,
    finding: found === undefined ? "absent" : "present",
    confidence: "listed",
    method: "looked for it after a removal whose outcome was unknown",
    checkedAt: now.toISOString(),
    bytesRead: 0,
  } as const;
  await context.index.settlePermit(permit.id, evidence, now);
}
