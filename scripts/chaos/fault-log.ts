import { appendFile } from "node:fs/promises";
import type { Damage } from "./damage.ts";

/** Every fault as it was injected, in memory for the report and as NDJSON for people. */
export class FaultLog {
  readonly file: string;
  readonly counts = new Map<string, number>();
  /** Copies that were destroyed: `<cid> <backend>`. */
  readonly destroyed = new Set<string>();
  readonly #startedAt = performance.now();

  constructor(file: string) {
    this.file = file;
  }

  /** Notes a fault that has just begun (or, with `isEnd`, ended). */
  async note(kind: string, detail: Readonly<Record<string, unknown>>, isEnd = false) {
    if (!isEnd) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const afterMs = Math.round(performance.now() - this.#startedAt);
    const line = { at: new Date().toISOString(), afterMs, kind, ...detail };
    await appendFile(this.file, `${JSON.stringify(isEnd ? { ...line, ended: true } : line)}\n`);
  }

  noteDamage({ cid, backend }: Damage): void {
    this.destroyed.add(`${cid} ${backend}`);
  }
}
