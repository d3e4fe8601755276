import { setTimeout as sleep } from "node:timers/promises";
import type { BackendPool } from "#engine/backend-pool.ts";
import type { BackendStatus, BackendTrouble } from "#model/driver.ts";
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
    return { ...answer, troubles: [...answer.troubles, ...sameStorage(same)] };
  });
}

async function answerOf(pool: BackendPool, name: string): Promise<BackendAnswer> {
  try {
    const status = await (await pool.driver(name)).status();
    return { status, troubles: await troublesOf(pool, name) };
  } catch (thrown) {
    const { code, message, hint } = EngineError.from(thrown);
    // Who may not do one thing may be told at once what else.
    const troubles = code === "FORBIDDEN" ? await troublesOf(pool, name) : [];
    return { status: message, ...(hint !== undefined && { hint }), troubles };
  }
}

async function troublesOf(pool: BackendPool, name: string): Promise<readonly BackendTrouble[]> {
  try {
    const driver = await pool.driver(name);
    return (await driver.troubles?.({ signal: AbortSignal.timeout(patienceMs) })) ?? [];
  } catch (thrown) {
    return [troubleOf(thrown)];
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
): Promise<{ readonly kind: string; readonly names: readonly string[] } | undefined> {
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

function sameStorage(others: readonly string[]): readonly BackendTrouble[] {
  if (others.length === 0) return [];
  const which = `${others.length === 1 ? "backend" : "backends"} ${others.join(", ")}`;
  return [
    {
      state: "failed",
      message: `the same storage as ${which}: what lies there is one copy`,
      hint: "give each backend storage of its own, or take one out; no removal from one rests on the other",
    },
  ];
}
