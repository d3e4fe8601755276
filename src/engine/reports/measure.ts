import type { ReportColumn, ReportUnit } from "#model/report.ts";
import type { FilterContext } from "#policies/compile-filter.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What figures are computed for. */
export interface MeasureContext extends FilterContext {
  readonly minimumCopies: number;
}

/** A column of a report: a sum over objects, or over copies. */
export interface Measure extends ReportColumn {
  /**
   * Summed over rows `o` of the view `object`, or over rows `c` of the view `copy`, each beside
   * the prices `p` of its backend.
   */
  readonly of: "object" | "copy";
  addend(context: MeasureContext): SqlFragment;
}

/** A sum over objects. */
export function ofObjects(
  name: string,
  unit: ReportUnit,
  meaning: string,
  addend: Measure["addend"],
): Measure {
  return { name, unit, meaning, of: "object", charted: false, addend };
}

/** A sum over copies; lost and corrupt ones are among the rows. */
export function ofCopies(name: string, unit: ReportUnit, meaning: string, addend: string): Measure {
  return { name, unit, meaning, of: "copy", charted: false, addend: () => trusted(addend) };
}

/** Counts the objects that `objects ls --where` lists for an expression. */
export function countWhere(name: string, expression: string): Measure {
  const meaning = `objects with \`${expression}\``;
  return ofObjects(name, "count", meaning, (context) => {
    return sql`CASE WHEN ${compileFilter(expression, context)} THEN 1 ELSE 0 END`;
  });
}

/** Sums their sizes. */
export function sizeWhere(name: string, expression: string): Measure {
  const meaning = `content of the objects with \`${expression}\``;
  return ofObjects(name, "bytes", meaning, (context) => {
    return sql`CASE WHEN ${compileFilter(expression, context)} THEN o.size ELSE 0 END`;
  });
}

/** The same column, shown in charts. */
export function charted(measure: Measure): Measure {
  return { ...measure, charted: true };
}
