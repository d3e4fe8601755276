import { Connection } from "#index/connection.ts";

/** How long statements took until they had given their rows, by their text. */
export class StatementTimes {
  readonly #times = new Map<string, { ms: number; count: number }>();

  /** From now on every statement of the index is timed. */
  static begin(): StatementTimes {
    const times = new StatementTimes();
    for (const method of ["run", "rows", "append", "appendStage"]) times.#watch(method);
    return times;
  }

  clear(): void {
    this.#times.clear();
  }

  /** The slowest first, each as milliseconds for one of `count` things done. */
  print(count: number, most = Infinity): void {
    const slowest = [...this.#times].toSorted(([, a], [, b]) => b.ms - a.ms).slice(0, most);
    for (const [text, { ms, count: calls }] of slowest) {
      const each = `${(ms / count).toFixed(1)} ms`;
      console.log(`${each.padStart(9)} ${String(calls).padStart(4)}x ${text}`);
    }
  }

  #watch(method: string): void {
    const times = this.#times;
    const act = Reflect.get(Connection.prototype, method) as Method;
    const timed: Method = async function timed(text, ...rest) {
      const begun = performance.now();
      try {
        return await act.call(this, text, ...rest);
      } finally {
        const statement = method.startsWith("append") ? `append to ${text}` : text;
        const name = statement.replaceAll(/\s+/gu, " ").slice(0, 100);
        const { ms, count } = times.get(name) ?? { ms: 0, count: 0 };
        times.set(name, { ms: ms + performance.now() - begun, count: count + 1 });
      }
    };
    Reflect.set(Connection.prototype, method, timed);
  }
}

type Method = (this: Connection, text: string, ...rest: readonly unknown[]) => Promise<unknown>;
