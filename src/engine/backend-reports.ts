import { setTimeout as sleep } from "node:timers/promises";
import type { BackendPool } from "#engine/backend-pool.ts";
import type { BackendStatus, BackendTrouble, StorageNames } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { isSameStorage } from "#model/same-storage.ts";

/** Longer than that nobody waits for what is asked beside the status. */
const patienceMs = 10_000;

/** What a backend says of itself just now. */
export interface BackendAnswer {
  readonly status: BackendStatus | string;
  readonly hint?: string;
  readonly troubles: readonly BackendTrouble[];
}

/**
 * What each of these backends says of itself just now, in their order, with what stands in the way
 * of work there, and which of them are one and the same storage.
 */
export async function backendReports(
  pool: BackendPool,
  names: readonly string[],
): Promise<readonly BackendAnswer[]> {
  const [answers, storages] = await Promise.all([
    Promise.all(names.map((name) => answerOf(pool, name))),
    Promise.all(names.map((name) => storageOf(pool, name))),
  ]);
  return answers.map((answer, at) => {
    const same = names.filter((_, other) => {
      const [one, two] = [storages[at], storages[other]];
      if (other === at || one === undefined || two === undefined) return false;
      return one.kind === two.kind && isSameStorage(one.names, two.names);
    });
    return { ...answer, troubles: [...answer.troubles, ...same.map(sameStorage)] };
  });
}

async function answerOf(pool: BackendPool, name: string): Promise<BackendAnswer> {
  try {
    const driver = await pool.driver(name);
    const status = await driver.status();
    const asking = driver.troubles?.({ signal: AbortSignal.timeout(patienceMs) });
    const troubles = await asking?.catch((thrown: unknown) => [troubleOf(thrown)]);
    return { status, troubles: troubles ?? [] };
  } catch (thrown) {
    const { message, hint } = EngineError.from(thrown);
    return { status: message, ...(hint !== undefined && { hint }), troubles: [] };
  }
}

function troubleOf(thrown: unknown): BackendTrouble {
  const { message, hint } = EngineError.from(thrown);
  return { state: "warn", message, hint };
}

/** Undefined where nobody can tell: that it does not answer is told already. */
async function storageOf(
  pool: BackendPool,
  name: string,
): Promise<{ readonly kind: string; readonly names: StorageNames } | undefined> {
  const patience = new AbortController();
  const asking = async () => {
    const { identity } = await pool.driver(name);
    if (identity === undefined) return undefined;
    const signal = AbortSignal.timeout(patienceMs);
    return { kind: identity.kind, names: await identity.names({ signal }) };
  };
  try {
    const late = sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
    return await Promise.race([asking().catch(() => undefined), late]);
  } finally {
    patience.abort();
  }
}

function sameStorage(other: string): BackendTrouble {
  return {
    state: "failed",
    message: `the same storage as backend ${other}: what lies there is one copy, not two`,
    hint: "give each backend storage of its own, or take one of them out; until then no removal from one rests on the other",
  };
}
