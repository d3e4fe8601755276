import { setTimeout as sleep } from "node:timers/promises";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** What work tells of itself while it goes on. */
export interface Work {
  /** Fires when nobody wants the result any more. */
  readonly signal: AbortSignal;
  done: number;
  bytes: number;
  bytesTotal: number | undefined;
  /** Says what went wrong without ending the work. */
  problem(message: string): void;
}

/** How far work is; the last one has its result. */
export interface WorkStep<Result> {
  readonly type: "progress" | "problem" | "summary";
  readonly done: number;
  readonly bytes: number;
  readonly bytesTotal: number | undefined;
  readonly message?: string;
  readonly result?: Result;
}

const progressEveryMs = 200;

/** Does work and yields how far it is. Whoever stops reading stops the work, and waits for that. */
export async function* workSteps<Result>(
  run: (work: Work) => Promise<Result>,
): AsyncGenerator<WorkStep<Result>> {
  const stop = new AbortController();
  const problems: string[] = [];
  const work: Work = {
    signal: stop.signal,
    done: 0,
    bytes: 0,
    bytesTotal: undefined,
    problem: (message) => void problems.push(message),
  };
  const step = (): Omit<WorkStep<Result>, "type"> => {
    const { done, bytes, bytesTotal } = work;
    return { done, bytes, bytesTotal };
  };
  const ended = new AbortController();
  const outcome = run(work).then(
    (result) => ({ result }),
    (thrown: unknown) => ({ error: EngineError.from(thrown) }),
  );
  const over = outcome.finally(() => {
    ended.abort();
  });
  try {
    while (!ended.signal.aborted) {
      await sleep(progressEveryMs, undefined, { signal: ended.signal }).catch(() => undefined);
      for (const message of problems.splice(0)) yield { type: "problem", ...step(), message };
      if (!ended.signal.aborted) yield { type: "progress", ...step() };
    }
    const end = await over;
    for (const message of problems.splice(0)) yield { type: "problem", ...step(), message };
    if ("error" in end) throw end.error;
    yield { type: "summary", ...step(), result: end.result };
  } finally {
    stop.abort();
    await over;
  }
}

/** Passes bytes on and counts them, until the work is stopped. */
export async function* counted(stream: ByteStream, work: Work): ByteStream {
  for await (const bytes of stream) {
    work.signal.throwIfAborted();
    work.bytes += bytes.length;
    yield bytes;
  }
}
