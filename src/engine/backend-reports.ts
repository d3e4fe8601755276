import { setTimeout as sleep } from "node:timers/promises";
import type { BackendPool } from "#engine/backend-pool.ts";
import type { BackendStatus, BackendTrouble } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatDuration } from "#model/quantity.ts";
import { isSameStorage, type StorageName } from "#model/same-storage.ts";

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
 * of work there, and which of them are one and the same storage: that is told once, at the later one.
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
    const own = storages[at];
    if (own === undefined) return answer;
    const alike = names.filter((_, other) => other !== at && storages[other]?.kind === own.kind);
    const same = names.slice(0, at).flatMap((name, earlier) => {
      const other = storages[earlier];
      if (other?.kind !== own.kind) return [];
      return isSameStorage(own.names ?? [], other.names ?? []) ? [{ ...other, name }] : [];
    });
    const hint = [own, ...same].find((one) => one.hint !== undefined)?.hint;
    // That a backend does not answer is told already.
    const silent = typeof answer.status === "string" ? undefined : own.error;
    const earlier = same.map(({ name }) => name);
    const more = [...sameStorage(earlier, hint), ...unknownStorage(alike, silent)];
    return { ...answer, troubles: [...answer.troubles, ...more] };
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

/** What a backend says of the storage behind it, or why it does not. */
interface Storage {
  readonly kind: string;
  readonly hint: string | undefined;
  readonly names?: readonly StorageName[];
  readonly error?: EngineError;
}

/** Undefined where nobody can tell: that it does not answer is told already. */
async function storageOf(pool: BackendPool, name: string): Promise<Storage | undefined> {
  const identity = await pool.driver(name).then(
    (driver) => driver.identity,
    () => undefined,
  );
  if (identity === undefined) return undefined;
  const { kind, hint } = identity;
  const patience = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: patience.signal }).then(() => {
    const message = `it did not say within ${formatDuration(patienceMs)}`;
    throw new EngineError("TIMEOUT", message, { hint: "ask again when it has less to do" });
  });
  try {
    const asking = async () => identity.names({ signal: AbortSignal.timeout(patienceMs) });
    return { kind, hint, names: await Promise.race([asking(), late]) };
  } catch (thrown) {
    return { kind, hint, error: EngineError.from(thrown) };
  } finally {
    patience.abort();
  }
}

function sameStorage(
  others: readonly string[],
  hint: string | undefined,
): readonly BackendTrouble[] {
  if (others.length === 0) return [];
  const what =
    "give each backend storage of its own, or take one out; no removal from one rests on the other";
  return [
    {
      state: "failed",
      message: `the same storage as ${backendWords(others)}: what lies there is one copy`,
      hint: hint === undefined ? what : `${what}; ${hint}`,
    },
  ];
}

/** Only where there are others that it may be the same as. */
function unknownStorage(
  others: readonly string[],
  error: EngineError | undefined,
): readonly BackendTrouble[] {
  if (others.length === 0 || error === undefined) return [];
  const message = `which storage it is could not be asked: ${error.message}`;
  const until = `until then no removal rests on it and ${backendWords(others)} together`;
  const hint = error.hint === undefined ? until : `${error.hint}; ${until}`;
  return [{ state: "failed", message, hint }];
}

function backendWords(names: readonly string[]): string {
  return `${names.length === 1 ? "backend" : "backends"} ${names.join(", ")}`;
}
