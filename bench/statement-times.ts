import { Connection } from "#index/connection.ts";

interface Times {
  readonly ms: number;
  readonly processorMs: number;
  readonly count: number;
}

/**
 * How long statements took until they had given their rows, by their text, and the processor time
 * of this process meanwhile: true where one statement runs after the other.
 */
export class StatementTimes {
  readonly #times = new Map<string, Times>();

  /** From now on every statement of the index is timed. */
  static begin(): StatementTimes {
    const times = new StatementTimes();
    for (const method of ["run", "rows", "append", "appendStage"]) times.#watch(method);
    return times;
  }

  clear(): void {
    this.#times.clear();
  }

  /** The dearest first, each as milliseconds for one of `count` things done. */
  print(count: number, most = Infinity): void {
    const dearest = [...this.#times]
      .toSorted(([, a], [, b]) => b.processorMs - a.processorMs)
      .slice(0, most);
    const each = (ms: number) => `${(ms / count).toFixed(2)} ms`.padStart(9);
    console.log("processor, elapsed");
    for (const [text, { ms, processorMs, count: calls }] of dearest) {
      console.log(`${each(processorMs)} ${each(ms)} ${String(calls).padStart(4)}x ${text}`);
    }
  }

  #watch(method: string): void {
    const times = this.#times;
    const act = Reflect.get(Connection.prototype, method) as Method;
    const timed: Method = async function timed(text, ...rest) {
      const begun = performance.now();
      const used = process.cpuUsage();
      try {
        return await act.call(this, text, ...rest);
      } finally {
        const statement = method.startsWith("append") ? `append to ${text}` : text;
        const name = statement.replaceAll(/\s+/gu, " ").slice(0, 100);
        const { user, system } = process.cpuUsage(used);
        const before = times.get(name) ?? { ms: 0, processorMs: 0, count: 0 };
        times.set(name, {
          ms: before.ms + performance.now() - begun,
          processorMs: before.processorMs + (user + system) / 1_000,
          count: before.count + 1,
        });
      }
    };
    Reflect.set(Connection.prototype, method, timed);
  }
}

type Method = (this: Connection, text: string, ...rest: readonly unknown[]) => Promise<unknown>;
