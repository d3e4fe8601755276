import type { SqlStatement, SqlValue } from "#model/sql.ts";

/** A piece of SQL with its values beside it. Pieces nest; numbering happens at the end. */
export interface SqlFragment {
  readonly parts: readonly string[];
  readonly values: readonly (SqlValue | SqlFragment)[];
  /** It is the same for all objects, and changes only where the heat of some object does. */
  readonly follows?: "heats";
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

/** The same with others in the place of pieces that are changed, the outermost first. */
export function replacePieces(
  fragment: SqlFragment,
  change: (piece: SqlFragment) => SqlFragment | undefined,
): SqlFragment {
  const other = change(fragment);
  if (other !== undefined) return other;
  const values = fragment.values.map((value) =>
    isFragment(value) ? replacePieces(value, change) : value,
  );
  return { ...fragment, values };
}

/** Numbers the parameters `$1…` in order of appearance. */
export function toStatement(fragment: SqlFragment): SqlStatement {
  return numbered(fragment, () => undefined);
}

/**
 * The same with numbers and truth values in the text, in the type that they would be bound with. DuckDB binds a statement with parameters a second time when it has their values: for one
 * that is run once and has much text, that is most of what it costs. Text is never put in.
 */
export function toLiteralStatement(fragment: SqlFragment): SqlStatement {
  return numbered(fragment, (value) => {
    if (typeof value === "boolean") return `${value}`;
    if (typeof value === "bigint") return isLiteral(value) ? `(${value}::BIGINT)` : undefined;
    if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
    // With an exponent it is read as a DOUBLE, to the last bit, and never as a DECIMAL.
    return Number.isSafeInteger(value)
      ? `(${value}::BIGINT)`
      : `(${value.toExponential()}::DOUBLE)`;
  });
}

/** Whether so many fit into a BIGINT, whichever sign comes before them. */
function isLiteral(value: bigint): boolean {
  return value > -(2n ** 63n) && value < 2n ** 63n;
}

/** With all values in the text, for people. Never run by the engine itself: see `toStatement`. */
export function toPrintedText(fragment: SqlFragment): string {
  return numbered(fragment, (value) => {
    if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
    if (value instanceof Uint8Array) return `from_hex('${Buffer.from(value).toString("hex")}')`;
    return value === null ? "NULL" : `${value}`;
  }).text;
}

/** Values without a literal become parameters. */
function numbered(
  fragment: SqlFragment,
  literal: (value: SqlValue) => string | undefined,
): SqlStatement {
  const parameters: SqlValue[] = [];
  const render = (piece: SqlFragment): string =>
    piece.parts
      .map((part, position) => {
        if (position >= piece.values.length) return part;
        const value = piece.values[position] as SqlValue | SqlFragment;
        if (isFragment(value)) return part + render(value);
        const text = literal(value);
        if (text !== undefined) return part + text;
        parameters.push(value);
        return `${part}$${parameters.length}`;
      })
      .join("");
  return { text: render(fragment), parameters };
}

function isFragment(value: SqlValue | SqlFragment): value is SqlFragment {
  return typeof value === "object" && value !== null && "parts" in value;
}
