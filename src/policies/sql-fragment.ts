import type { SqlStatement, SqlValue } from "#model/sql.ts";

/** A piece of SQL with its values beside it. Pieces nest; numbering happens at the end. */
export interface SqlFragment {
  readonly parts: readonly string[];
  readonly values: readonly (SqlValue | SqlFragment)[];
}

/**
 * ``sql`size > ${1024} and (${other})` ``: values become parameters, fragments are spliced in.
 * Text that comes from a user only ever enters as a value.
 */
export function sql(
  parts: TemplateStringsArray,
  ...values: readonly (SqlValue | SqlFragment)[]
): SqlFragment {
  return { parts: [...parts], values };
}

/** SQL text written in our own source (identifiers, generated column names), never user text. */
export function trusted(text: string): SqlFragment {
  return { parts: [text], values: [] };
}

export function joinFragments(fragments: readonly SqlFragment[], separator: string): SqlFragment {
  const parts = ["", ...fragments.slice(1).map(() => separator), ""];
  return fragments.length === 0 ? trusted("") : { parts, values: fragments };
}

/** Numbers the parameters `$1…` in order of appearance. */
export function toStatement(fragment: SqlFragment): SqlStatement {
  const parameters: SqlValue[] = [];
  const render = (piece: SqlFragment): string =>
    piece.parts
      .map((part, position) => {
        if (position >= piece.values.length) return part;
        const value = piece.values[position] as SqlValue | SqlFragment;
        if (isFragment(value)) return part + render(value);
        parameters.push(value);
        return `${part}$${parameters.length}`;
      })
      .join("");
  return { text: render(fragment), parameters };
}

function isFragment(value: SqlValue | SqlFragment): value is SqlFragment {
  return typeof value === "object" && value !== null && "parts" in value;
}
