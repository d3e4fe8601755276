import type { DocumentSource, Inclusion } from "#document/document-source.ts";
import type { ParsedDocument } from "#document/parse-documents.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { type AnyDocument, kindOf } from "#policies/definitions/document-kinds.ts";
import { readDefinitions } from "#policies/definitions/read-definitions.ts";
import { usesSome } from "#policies/definitions/uses-some.ts";
import { joinNames, noNames, type SharedNames } from "#policies/definitions/shared-names.ts";
import type { ParseOptions } from "#policies/parse-policies.ts";
import { field } from "#policies/raw-value.ts";
import { wrongPath } from "#policies/shared-fields.ts";

/** A file of policies with the documents in it. */
export interface PolicyFile {
  readonly source: DocumentSource;
  readonly documents: readonly ParsedDocument<AnyDocument>[];
}

/** Files that include one another in a longer chain are a mistake, and cost stack. */
const chainMax = 64;

/**
 * Says which names each document has from others: those of the definitions that it includes, and
 * of those that stand before it in its file. Each file is read once, whoever includes it.
 */
export class IncludedNames {
  readonly diagnostics: Diagnostic[] = [];
  readonly #files: ReadonlyMap<string, PolicyFile>;
  readonly #options: ParseOptions;
  readonly #inherited = new Map<ParsedDocument<AnyDocument>, SharedNames>();
  readonly #brought = new Map<string, SharedNames>();
  /** Files that bring more than names, or may: policies and calendars, holds among them. */
  readonly #bringsMore = new Set<string>();
  readonly #open: string[] = [];

  constructor(files: ReadonlyMap<string, PolicyFile>, options: ParseOptions) {
    this.#files = files;
    this.#options = options;
    for (const file of files.keys()) this.#namesOf(file);
  }

  /** The names that a document has from others. */
  of(document: ParsedDocument<AnyDocument>): SharedNames {
    return this.#inherited.get(document) ?? noNames;
  }

  /** The names that a file brings to those who include it. */
  #namesOf(file: string): SharedNames {
    const known = this.#brought.get(file);
    if (known !== undefined) return known;
    const { source, documents } = this.#files.get(file) ?? { source: undefined, documents: [] };
    this.#open.push(file);
    let names = noNames;
    // What could not be read may be anything.
    if (documents.length === 0) this.#bringsMore.add(file);
    for (const document of documents) {
      const kind = kindOf(document.raw);
      if (kind !== "Definitions") this.#bringsMore.add(file);
      const inherited = this.#include(document, source?.includes ?? {}, names);
      this.#inherited.set(document, inherited);
      if (kind !== "Definitions") continue;
      const read = readDefinitions(document, inherited, this.#options);
      this.diagnostics.push(...read.diagnostics);
      names = read.names;
    }
    this.#open.pop();
    this.#brought.set(file, names);
    return names;
  }

  #include(
    { raw, places }: ParsedDocument<AnyDocument>,
    includes: Readonly<Record<string, Inclusion>>,
    before: SharedNames,
  ): SharedNames {
    const entries = field(raw, "include");
    const including = this.#open.at(-1) ?? "";
    let names = before;
    for (const [at, entry] of (Array.isArray(entries) ? entries : []).entries()) {
      // The schema has reported what can be no path.
      if (typeof entry !== "string" || wrongPath(entry) !== undefined) continue;
      const range = places.value(["include", at]);
      const found = this.#follow(entry, includes);
      if (found.names === undefined) {
        this.diagnostics.push(places.diagnostic(range, found));
        names = { ...names, isFaulty: true };
        this.#bringsMore.add(including);
        continue;
      }
      if (this.#bringsMore.has(found.file)) this.#bringsMore.add(including);
      // What definitions include, they bring to others.
      if (kindOf(raw) === "Policy" && this.#bringsOnlyNames(found) && !usesSome(raw, found.names)) {
        const message = `nothing of "${entry}" is used here`;
        const hint = "remove the entry, or use a name that it brings, variables with $ before it";
        const finding = { severity: "warning", code: "W0424", message, hint } as const;
        this.diagnostics.push(places.diagnostic(range, finding));
      }
      let isClash = false;
      const joined = joinNames(names, found.names, ({ what, name, first, second }) => {
        const message = `"${entry}" brings a second ${what} "${name}": ${second}, besides ${first}`;
        const hint = "give one of the two another name, or include one of the two files";
        this.diagnostics.push(places.diagnostic(range, { code: "E0160", message, hint }));
        isClash = true;
      });
      names = isClash ? { ...joined, isFaulty: true } : joined;
    }
    return names;
  }

  /**
   * Whether a file and all that it includes hold definitions only. An included policy is one
   * policy more, a calendar is found by all, and what has an error was reported at its place.
   */
  #bringsOnlyNames({ file, names }: { readonly file: string; readonly names: SharedNames }) {
    return !names.isFaulty && !this.#bringsMore.has(file);
  }

  #follow(entry: string, includes: Readonly<Record<string, Inclusion>>) {
    const own = Object.hasOwn(includes, entry) ? includes[entry] : undefined;
    const found = own ?? noFile(entry);
    if ("problem" in found) return { code: "E0172", ...found.problem };
    const { file } = found;
    const circle = this.#open.indexOf(file);
    if (circle !== -1) {
      const chain = [...this.#open.slice(circle), file].join(" → ");
      const message = `files include each other in a circle: ${chain}`;
      return { code: "E0173", message, hint: "move what they share into a file of its own" };
    }
    if (this.#open.length < chainMax) return { file, names: this.#namesOf(file) };
    const message = `"${entry}" is the end of a chain of more than ${chainMax} files`;
    return { code: "E0173", message, hint: "include it where it is used" };
  }
}

/** Texts that were not read from files can include none. */
function noFile(entry: string): Inclusion {
  const hint = "only what is read from a file can include other files";
  return { problem: { message: `"${entry}" cannot be found from here`, hint } };
}
