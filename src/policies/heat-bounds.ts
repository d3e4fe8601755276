import type { ReadSession, SqlValue } from "#model/sql.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import {
  joinFragments,
  replacePieces,
  sql,
  type SqlFragment,
  toPrintedText,
  toStatement,
  trusted,
} from "#policies/sql-fragment.ts";

/** Policies have a few; those of policies that were changed since are not worth keeping. */
const knownMax = 64;

/**
 * Bounds on the heat of objects that follow from their places among all objects (`heat_rank`):
 * finding one takes putting all heats in order. They are kept as long as every heat is what it was,
 * which takes one look at each: what was added, and what was read since, shows in the sum of the
 * hashes of all heats.
 */
export class HeatBounds {
  #heats = "";
  #known = new Map<string, SqlValue>();

  /** The same rules with values in the place of such bounds, as the session sees the index. */
  async bind(
    rules: readonly CompiledRule[],
    session: ReadSession,
  ): Promise<readonly CompiledRule[]> {
    const bounds = new Map<string, SqlFragment>();
    const collect = (piece: SqlFragment): undefined => {
      if (piece.follows === "heats") bounds.set(toPrintedText(piece), piece);
      return undefined;
    };
    for (const rule of rules) inConditions(rule, (piece) => replacePieces(piece, collect));
    if (bounds.size === 0) return rules;
    const known = await this.#values(bounds, session);
    const valueOf = (piece: SqlFragment): SqlFragment | undefined =>
      piece.follows === "heats"
        ? sql`(${known.get(toPrintedText(piece)) ?? null}::DOUBLE)`
        : undefined;
    return rules.map((rule) => inConditions(rule, (piece) => replacePieces(piece, valueOf)));
  }

  async #values(
    bounds: ReadonlyMap<string, SqlFragment>,
    session: ReadSession,
  ): Promise<ReadonlyMap<string, SqlValue>> {
    const [row] = await session.rows(toStatement(allHeats));
    const heats = String(row?.["heats"]);
    const isSame = heats === this.#heats && this.#known.size <= knownMax;
    const known = new Map(isSame ? this.#known : []);
    const unknown = [...bounds].filter(([text]) => !known.has(text));
    if (unknown.length > 0) {
      const columns = unknown.map(([, bound], at) => sql`${bound} AS ${trusted(`b${at}`)}`);
      const [found] = await session.rows(toStatement(sql`SELECT ${joinFragments(columns, ", ")}`));
      for (const [at, [text]] of unknown.entries()) known.set(text, found?.[`b${at}`] as SqlValue);
    }
    this.#heats = heats;
    this.#known = known;
    return known;
  }
}

const allHeats = trusted(
  "SELECT count(*) || ' ' || coalesce(sum(hash(heat_weight)), 0) AS heats FROM object",
);

function inConditions(
  rule: CompiledRule,
  change: (piece: SqlFragment) => SqlFragment,
): CompiledRule {
  const { where, whereByName } = rule;
  return {
    ...rule,
    where: change(where),
    whereByName: whereByName === undefined ? undefined : change(whereByName),
  };
}
