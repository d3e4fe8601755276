import type { DocumentPath } from "#document/document-places.ts";
import type { NamedThings } from "#policies/testing/named-things.ts";
import type { FixtureAttributes } from "#policies/testing/policy-test-schema.ts";

/** The objects of a document, and what its cases make of them. */
export class FixtureBook {
  readonly #names: NamedThings;
  readonly #backends: readonly string[];
  readonly #shared: ReadonlyMap<string, FixtureAttributes>;

  constructor(
    objects: readonly FixtureAttributes[],
    names: NamedThings,
    backends: readonly string[],
  ) {
    this.#names = names;
    this.#backends = backends;
    names.unique(objects, ["objects"], "objects");
    const shared = new Map<string, FixtureAttributes>();
    // An object may be like one before it, so that no circle can come about.
    for (const [at, object] of objects.entries()) {
      this.#check(object, ["objects", at], [...shared.keys()]);
      shared.set(object.name, complete(object, shared));
    }
    this.#shared = shared;
  }

  /** The objects of a case: those it names, those it adds; all shared ones unless it says. */
  given(
    given: readonly (string | FixtureAttributes)[] | undefined,
    path: DocumentPath,
  ): readonly FixtureAttributes[] {
    if (given === undefined) return [...this.#shared.values()];
    const known = [...this.#shared.keys()];
    const objects = given.flatMap((entry, at): readonly FixtureAttributes[] => {
      const here = [...path, "given", at];
      if (typeof entry === "string") {
        this.#names.known(entry, known, here, "object");
        const object = this.#shared.get(entry);
        return object === undefined ? [] : [object];
      }
      this.#check(entry, here, known);
      return [complete(entry, this.#shared)];
    });
    this.#names.unique(objects, [...path, "given"], "objects");
    return objects;
  }

  #check(object: FixtureAttributes, path: DocumentPath, known: readonly string[]): void {
    const { copies = [], like, idle, reads } = object;
    this.#names.known(like, known, [...path, "like"], "object");
    for (const [at, { on }] of copies.entries()) {
      this.#names.known(on, this.#backends, [...path, "copies", at], "backend");
    }
    if (idle !== undefined && reads !== undefined) {
      const message = "idle: stands for one read, and reads: lists them";
      this.#names.report("E0181", [...path, "idle"], message, "keep one of the two");
    }
  }
}

function complete(
  object: FixtureAttributes,
  shared: ReadonlyMap<string, FixtureAttributes>,
): FixtureAttributes {
  const { like, ...own } = object;
  const model = like === undefined ? undefined : shared.get(like);
  if (model === undefined) return own;
  // Both say how it is read: the object's own words replace those of its model.
  const { idle, reads, ...rest } = model;
  const reading = own.idle === undefined && own.reads === undefined ? { idle, reads } : {};
  return { ...rest, ...definedOf(reading), ...own };
}

function definedOf(
  reading: Pick<FixtureAttributes, "idle" | "reads">,
): Pick<FixtureAttributes, "idle" | "reads"> {
  const { idle, reads } = reading;
  return { ...(idle === undefined ? {} : { idle }), ...(reads === undefined ? {} : { reads }) };
}
