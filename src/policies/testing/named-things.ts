import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DiagnosticCode } from "#policies/diagnostic-codes.ts";
import { nameHint } from "#model/name-hint.ts";

/** Looks names of a test document up, and reports those that stand for nothing. */
export class NamedThings {
  readonly #places: DocumentPlaces;
  readonly #diagnostics: Diagnostic[];

  constructor(places: DocumentPlaces, diagnostics: Diagnostic[]) {
    this.#places = places;
    this.#diagnostics = diagnostics;
  }

  report(code: DiagnosticCode, path: DocumentPath, message: string, hint: string): void {
    const range = this.#places.value(path);
    this.#diagnostics.push(this.#places.diagnostic(range, { code, message, hint }));
  }

  known(
    name: string | undefined,
    names: readonly string[],
    path: DocumentPath,
    what: string,
  ): void {
    if (name === undefined || names.includes(name)) return;
    this.report("E0180", path, `there is no ${what} "${name}"`, nameHint(name, names, `${what}s`));
  }

  /** The same for a name that is a key. */
  knownKey(name: string, names: readonly string[], path: DocumentPath, what: string): void {
    if (names.includes(name)) return;
    const message = `there is no ${what} "${name}"`;
    const hint = nameHint(name, names, `${what}s`);
    const range = this.#places.key(path);
    this.#diagnostics.push(this.#places.diagnostic(range, { code: "E0180", message, hint }));
  }

  /** Each of a list, which may also be written as one text. */
  allKnown(
    given: readonly string[],
    names: readonly string[],
    path: DocumentPath,
    what: string,
  ): void {
    for (const [at, name] of given.entries()) {
      const item = [...path, at];
      this.known(name, names, this.#places.has(item) ? item : path, what);
    }
  }

  unique(things: readonly { readonly name: string }[], path: DocumentPath, what: string): void {
    const seen = new Set<string>();
    for (const [at, { name }] of things.entries()) {
      if (seen.has(name)) {
        const message = `there are two ${what} "${name}"`;
        this.report("E0182", [...path, at, "name"], message, "give one another name");
      }
      seen.add(name);
    }
  }
}
