import type { DocumentPlaces } from "#document/document-places.ts";
import type { ClassScope, Variable } from "#policies/expression/check-context.ts";

/** What a document has from others. No name means two things: that is an error where they meet. */
export interface SharedNames {
  readonly variables: ReadonlyMap<string, SharedVariable>;
  readonly classes: ReadonlyMap<string, SharedClass>;
  /** Something in them is an error, which was reported at its own place. */
  readonly isFaulty: boolean;
}

export interface SharedVariable {
  readonly variable: Variable;
  /** Where it is declared: `file:line:column`. */
  readonly label: string;
}

export interface SharedClass {
  /** As checked where it is declared; undefined when it has an error. */
  readonly body: ReturnType<ClassScope["body"]>;
  readonly text: string;
  readonly places: DocumentPlaces;
  readonly label: string;
}

/** Nothing at all. */
export const noNames: SharedNames = { variables: new Map(), classes: new Map(), isFaulty: false };

/** A name that two documents declare. */
export interface Clash {
  readonly what: "variable" | "class";
  readonly name: string;
  readonly first: string;
  readonly second: string;
}

/** The names of both; what is the same declaration on two ways counts once. */
export function joinNames(
  first: SharedNames,
  second: SharedNames,
  report: (clash: Clash) => void,
): SharedNames {
  return {
    variables: join("variable", first.variables, second.variables, report),
    classes: join("class", first.classes, second.classes, report),
    isFaulty: first.isFaulty || second.isFaulty,
  };
}

function join<Shared extends { readonly label: string }>(
  what: Clash["what"],
  first: ReadonlyMap<string, Shared>,
  second: ReadonlyMap<string, Shared>,
  report: (clash: Clash) => void,
): ReadonlyMap<string, Shared> {
  const joined = new Map(first);
  for (const [name, shared] of second) {
    const other = joined.get(name);
    if (other === undefined) joined.set(name, shared);
    else if (other.label !== shared.label) {
      report({ what, name, first: other.label, second: shared.label });
    }
  }
  return joined;
}
