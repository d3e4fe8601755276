import type { Measure, MeasureContext } from "#engine/reports/measure.ts";
import { tiers } from "#model/copy.ts";
import type { Backend } from "#model/backend.ts";
import type { ReportGrouping } from "#model/report.ts";
import { priceColumns, priceRows } from "#model/cost-sql.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** A backend, also one that left the configuration and may still hold copies. */
export type Holder = Backend & { readonly configured: boolean };

export interface ReportQuestion {
  readonly measures: readonly Measure[];
  readonly by: ReportGrouping;
  readonly holders: readonly Holder[];
  /** A condition over `object AS o`; undefined for all. */
  readonly where: SqlFragment | undefined;
  readonly context: MeasureContext;
}

/** One row for each group with `position`, `name` and a column for each measure. */
export interface ReportQuery {
  readonly groups: SqlFragment;
  /** One row with the sums over everything, each object and each copy counted once. */
  readonly totals: SqlFragment;
  /** What both stand on: the beginning of the statement. */
  readonly beginning: SqlFragment;
}

/**
 * Objects are summed up once by what tells their group apart: by their mask of backends, of which
 * there are few, or by the attribute itself; copies by their backend, or by that attribute of
 * their object. What is so summed up is then shared out to the groups, so that an object with
 * copies in two tiers counts in both, and in the totals once.
 */
export function reportQuery(question: ReportQuestion): ReportQuery {
  const { measures, by } = question;
  const place = placeOf[by];
  const keys =
    place === undefined
      ? { object: `o.${by}`, copy: `o.${by}` }
      : { object: "o.present_mask", copy: "c.backend_id" };
  const beginning = [
    trusted(`prices(${priceColumns}) AS (VALUES ${priceRows(question.holders)})`),
    sql`keyed_objects AS MATERIALIZED (
      SELECT ${trusted(keys.object)} AS key, ${addends(question, "object")}
      FROM object AS o WHERE (${question.where ?? trusted("true")}) GROUP BY ALL)`,
    sql`keyed_copies AS MATERIALIZED (
      SELECT ${trusted(keys.copy)} AS key, ${addends(question, "copy")}
      ${copyRows(question, place === undefined)} GROUP BY ALL)`,
    ...(place === undefined
      ? []
      : [
          sql`places(name, place, mask, shown) AS (
      VALUES ${placeRows(question.holders, place)})`,
        ]),
  ];
  return {
    beginning: sql`WITH ${joinFragments(beginning, ", ")}`,
    groups: place === undefined ? attributeGroups(measures) : placeGroups(measures),
    totals: sql`SELECT ${figures(measures)}
      FROM (SELECT ${sums(measures, "object")} FROM keyed_objects) AS x,
        (SELECT ${sums(measures, "copy")} FROM keyed_copies) AS y`,
  };
}

/** The groupings by what a copy is on. */
const placeOf: Partial<Record<ReportGrouping, (holder: Holder) => string>> = {
  tier: ({ tier }) => tier,
  backend: ({ name }) => name,
  region: ({ region }) => region ?? "none",
};

/** Groups of backends stand from warm to cold; those without a figure only when configured. */
function placeGroups(measures: readonly Measure[]): SqlFragment {
  const any = measures.map(({ name }) => `coalesce(${name}, 0) <> 0`).join(" OR ");
  return sql`SELECT row_number() OVER (ORDER BY g.place) AS position, g.name,
      ${figures(measures)}
    FROM places AS g
    LEFT JOIN (
      SELECT g.place, ${sums(measures, "object")} FROM places AS g JOIN keyed_objects AS k
        ON (k.key & g.mask) <> 0 OR (k.key = 0 AND g.mask = 0)
      GROUP BY g.place
    ) AS x USING (place)
    LEFT JOIN (
      SELECT g.place, ${sums(measures, "copy")} FROM places AS g JOIN keyed_copies AS k
        ON ((1::BIGINT << k.key) & g.mask) <> 0
      GROUP BY g.place
    ) AS y USING (place)
    WHERE g.shown OR ${trusted(any)}`;
}

/** Groups of objects stand by the figure of the report, the largest first. */
function attributeGroups(measures: readonly Measure[]): SqlFragment {
  const keys = measures.filter(({ charted }) => charted).map(({ name }) => `coalesce(${name}, 0)`);
  return sql`SELECT row_number() OVER (
      ORDER BY ${trusted(keys.join(" + "))} DESC, x.objects DESC, x.key NULLS LAST) AS position,
      x.key AS name, ${figures(measures)}
    FROM keyed_objects AS x LEFT JOIN keyed_copies AS y ON y.key IS NOT DISTINCT FROM x.key`;
}

function copyRows({ where, measures }: ReportQuestion, byObject: boolean): SqlFragment {
  const rows = sql`FROM copy AS c JOIN prices AS p ON p.backend_id = c.backend_id`;
  // A report without figures of copies does not read them.
  const needed = measures.some(({ of }) => of === "copy") ? trusted("true") : trusted("false");
  if (!byObject && where === undefined) return sql`${rows} WHERE ${needed}`;
  return sql`${rows} JOIN object AS o ON o.object_id = c.object_id
    WHERE ${needed} AND (${where ?? trusted("true")})`;
}

function addends({ measures, context }: ReportQuestion, of: Measure["of"]): SqlFragment {
  const list = measures
    .filter((measure) => measure.of === of)
    .map((measure) => sql`sum(${measure.addend(context)})${typeAs(measure)}`);
  return joinFragments([...list, trusted("count(*) AS counted")], ", ");
}

function sums(measures: readonly Measure[], of: Measure["of"]): SqlFragment {
  const list = measures
    .filter((measure) => measure.of === of)
    .map((measure) => sql`sum(${trusted(measure.name)})${typeAs(measure)}`);
  return joinFragments([...list, trusted("count(*) AS counted")], ", ");
}

/** The figures themselves; nothing to add up is zero. */
function figures(measures: readonly Measure[]): SqlFragment {
  const list = measures.map(
    (measure) => sql`coalesce(${trusted(measure.name)}, 0)${typeAs(measure)}`,
  );
  return joinFragments(list, ", ");
}

function typeAs({ name, unit }: Measure): SqlFragment {
  return trusted(`${unit === "usd" || unit === "heat" ? "::DOUBLE" : "::BIGINT"} AS ${name}`);
}

/** Groups with their backends as a mask; the last one is that of objects without any copy. */
function placeRows(holders: readonly Holder[], label: (holder: Holder) => string): SqlFragment {
  const ordered = holders.toSorted(
    (a, b) => tiers.indexOf(a.tier) - tiers.indexOf(b.tier) || a.id - b.id,
  );
  const groups = [...Map.groupBy(ordered, label)].map(([name, members], place) => {
    const mask = members.reduce((sum, { id }) => sum | (1n << BigInt(id)), 0n);
    const shown = members.some(({ configured }) => configured);
    return sql`(${name}::VARCHAR, ${place}::INTEGER, ${mask}::BIGINT, ${shown})`;
  });
  const nowhere = sql`(NULL::VARCHAR, ${groups.length}::INTEGER, 0::BIGINT, false)`;
  return joinFragments([...groups, nowhere], ", ");
}
