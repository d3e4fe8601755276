import type { Backend } from "#model/backend.ts";
import type { ObjectFunction, SqlContext } from "#policies/attribute-definition.ts";
import { doubleParameter } from "#policies/double-parameter.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { unitNamed, unitPer } from "#policies/expression/units.ts";
import { quantity } from "#policies/expression/value-type.ts";
import { fittingBackends } from "#policies/fitting-backends.ts";
import { maskOf, maskSql } from "#policies/plan/mask-sql.ts";
import { joinFragments, sql, type SqlFragment } from "#policies/sql-fragment.ts";

const benefit: ObjectFunction = {
  kind: "function",
  name: "benefit",
  scope: "object",
  type: quantity({ money: 1, time: -1 }),
  nullable: true,
  changes: "time",
  summary:
    "What a copy on these backends is worth, by the price cards: how much dearer its reads, as " +
    "many as its heat says, are from its cheapest copy elsewhere (or the cheapest other backend, " +
    "when it has none), less what keeping it there costs. Of several backends the best counts; " +
    "missing when they are all, or none.",
  example: "benefit(tier = hot) < 0 USD/month",
  parameters: [{ name: "where", kind: "condition", of: "backends" }],
  sql: worth,
};

function worth(context: SqlContext, [where]: readonly Expression[]): SqlFragment {
  const there = fittingBackends(where, context);
  const others = context.backends.filter((backend) => !there.includes(backend));
  if (there.length === 0 || others.length === 0) return sql`NULL::DOUBLE`;
  const reads = readsPerMs(context);
  const elsewhere = readingElsewhere(others);
  const worths = [...alike(there)].map(
    ([{ price }]) =>
      sql`(${reads} * (${elsewhere} - ${reading({ price })}) - ${keepingPerMs({ price })})`,
  );
  return sql`greatest(${joinFragments(worths, ", ")})`;
}

/** Reads at a steady rate of one in `t` make a heat of `h / (t ln 2)`, with the half-life `h`. */
function readsPerMs({ now, heat }: SqlContext): SqlFragment {
  const halfLives = (now.getTime() - heat.landmark.getTime()) / heat.halfLifeMs;
  return sql`(o.heat_weight * ${doubleParameter((2 ** -halfLives * Math.LN2) / heat.halfLifeMs)})`;
}

function readingElsewhere(others: readonly Backend[]): SqlFragment {
  const groups = [...alike(others)];
  const present = groups.map(
    (group) =>
      sql`CASE WHEN o.present_mask & ${maskSql(maskOf(group))} <> 0 THEN ${reading(group[0])} END`,
  );
  const possible = groups.map(([backend]) => reading(backend));
  return sql`coalesce(least(${joinFragments(present, ", ")}),
    least(${joinFragments(possible, ", ")}))`;
}

/** What one read of the object costs there. */
function reading({ price }: Pick<Backend, "price">): SqlFragment {
  const perByte = (price.egressPerGib + price.retrievalPerGib) / gib;
  return sql`(${doubleParameter(price.perRead)} + o.size * ${doubleParameter(perByte)})`;
}

function keepingPerMs({ price }: Pick<Backend, "price">): SqlFragment {
  const perByte = doubleParameter(price.perGibMonth / gib / month);
  return sql`(greatest(o.size, ${price.minimumBytes}::BIGINT) * ${perByte})`;
}

/** Backends that charge alike need to be asked about once. */
function alike(backends: readonly Backend[]): Iterable<readonly [Backend, ...Backend[]]> {
  return Map.groupBy(backends, ({ price }) => JSON.stringify(price)).values() as Iterable<
    readonly [Backend, ...Backend[]]
  >;
}

const gib = unitNamed("GiB")?.factor ?? 1;
const month = unitPer("month")?.factor ?? 1;

export default benefit;
