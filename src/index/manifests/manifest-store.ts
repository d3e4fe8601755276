import type { Database } from "#index/database.ts";
import {
  ManifestImport,
  type ManifestSource,
  type ManifestStep,
} from "#index/manifests/manifest-import.ts";
import type { EngineEvent } from "#model/engine-event.ts";

export interface ManifestContext {
  readonly now: () => Date;
  readonly clockSkewMs: number;
  readonly onEvent: (event: EngineEvent) => void;
}

/** The way for manifests into the index. */
export class ManifestStore {
  readonly #database: Database;
  readonly #context: ManifestContext;

  constructor(database: Database, context: ManifestContext) {
    this.#database = database;
    this.#context = context;
  }

  /** A step at the beginning, and one for each piece that was taken in. */
  async *import(source: ManifestSource): AsyncGenerator<ManifestStep> {
    const { onEvent } = this.#context;
    for await (const step of new ManifestImport(this.#database, source, this.#context).run()) {
      if (step.addedNow > 0) onEvent({ type: "object-added", objects: step.addedNow });
      yield step;
    }
  }
}
