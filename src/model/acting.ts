import { AsyncLocalStorage } from "node:async_hooks";

/** Who has something done, and why; the ledger keeps both. */
export interface Acting {
  /** A name as the person's machine knows them: `alice@box`. */
  readonly actor: string;
  readonly reason: string | undefined;
}

const current = new AsyncLocalStorage<Acting | undefined>();

/** Does something in a person's name: whatever it awaits knows of it too. */
export function actAs<Result>(acting: Acting, work: () => Result): Result {
  return current.run(acting, work);
}

/** Does something in the engine's own name, though a person's call was what began it. */
export function actAsEngine<Result>(work: () => Result): Result {
  return current.run(undefined, work);
}

/** In whose name this is done; undefined when the engine acts by itself. */
export function acting(): Acting | undefined {
  return current.getStore();
}
