import type { Work } from "#engine/callers/work-steps.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ObjectSources } from "#model/object-content.ts";
import { unknownBackend } from "#model/unknown-backend.ts";

const showHint = "see `thermocline objects show` for its copies, and `thermocline why`";

/** What to do about copies that are damaged. */
function mendHint(cid: string): string {
  return (
    "`thermocline repairs` says whether it is mended from another copy, " +
    `\`thermocline why ${cid}\` what keeps it from that; ` +
    "where no intact copy is left, add it again from where it came"
  );
}

export type ContentReader = Pick<EngineApi, "backends" | "objectSources" | "readObject">;

/** One object that is being fetched, and what was learnt of its copies meanwhile. */
export class Fetching {
  readonly api: ContentReader;
  readonly object: ObjectSources;
  readonly work: Work;
  readonly #damaged = new Set<string>();
  #lastError: EngineError | undefined;

  private constructor(api: ContentReader, object: ObjectSources, work: Work) {
    this.api = api;
    this.object = object;
    this.work = work;
  }

  /** Asks where the object can be read; `from` leaves only one backend. */
  static async begin(
    api: ContentReader,
    reference: string,
    from: string | undefined,
    work: Work,
  ): Promise<Fetching> {
    const object = await api.objectSources(reference);
    const sources = object.sources.filter(({ backend }) => from === undefined || backend === from);
    if (sources.length > 0) return new Fetching(api, { ...object, sources }, work);
    if (from !== undefined) await requireBackend(api, from);
    const where = object.sources.map(({ backend }) => backend).join(", ");
    const what = from === undefined ? "no copy" : `no copy on ${from}`;
    const damaged = object.damaged.length > 0 ? mendHint(object.cid) : showHint;
    throw new EngineError("NOT_FOUND", `${object.cid} has ${what} that can be read`, {
      hint: where === "" ? damaged : `it has copies on ${where}`,
    });
  }

  isDamaged(backend: string): boolean {
    return this.#damaged.has(backend);
  }

  /** Tells of a reading that failed. Says whether the copy was found damaged by that. */
  async failed(backend: string, error: EngineError): Promise<boolean> {
    this.#lastError = error;
    const { damaged } = await this.api.objectSources(this.object.cid);
    const isDamaged = damaged.includes(backend) || error.code === "CORRUPT";
    if (isDamaged) this.#damaged.add(backend);
    const what = isDamaged ? `the copy on ${backend} is damaged` : `${backend} did not give it all`;
    this.work.problem(`${this.object.cid}: ${what} (${error.message})`);
    return isDamaged;
  }

  /** The error when every copy was tried. */
  nothingLeft(): EngineError {
    const { cid, sources } = this.object;
    const tried = sources.map(({ backend }) => backend).join(", ");
    const last = this.#lastError;
    if (sources.every(({ backend }) => this.isDamaged(backend))) {
      // How its reading ended, often with the connection, says nothing about what to do.
      const what = sources.length === 1 ? "that copy is" : "those copies are";
      return new EngineError("CORRUPT", `${cid} could not be read from ${tried}: ${what} damaged`, {
        hint: mendHint(cid),
        ...(last === undefined ? {} : { cause: last }),
      });
    }
    return new EngineError(last?.code ?? "NOT_FOUND", `${cid} could not be read from ${tried}`, {
      hint: last?.hint ?? showHint,
      ...(last === undefined ? {} : { cause: last, retryable: last.retryable }),
    });
  }
}

async function requireBackend(api: Pick<EngineApi, "backends">, name: string): Promise<void> {
  const names = (await api.backends()).map((backend) => backend.name);
  if (!names.includes(name)) throw unknownBackend(name, names);
}
