import { formatDuration } from "#model/quantity.ts";
import type { BackendNames } from "#policies/explain/action-words.ts";
import { type LeaseRule, leaseRules } from "#policies/plan/lease.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, trusted } from "#policies/sql-fragment.ts";

/** How a rule that wants copies for a time stands with one object. */
export interface Lease {
  readonly rule: LeaseRule;
  /** Until when it wants the copies that it had made; passed when its time is over. */
  readonly until: Date;
  /** Where they are. */
  readonly copies: bigint;
}

/** The leases of one object, by place of their rule, from the tables of its plan. */
export async function readLeasesOf(
  planning: Planning,
  objectId: number,
): Promise<ReadonlyMap<number, Lease>> {
  const rules = leaseRules(planning.rules);
  if (rules.length === 0) return new Map();
  const columns = rules.map(({ index, forMs }) => {
    const since = trusted(`l.s${index}`);
    return sql`epoch_ms(greatest(${since}, coalesce(o.accessed, ${since})))::DOUBLE + ${forMs}
      AS ${trusted(`u${index}`)},
      ${trusted(`l.m${index}`)} & o.present_mask AS ${trusted(`m${index}`)}, ${since} IS NOT NULL
      AS ${trusted(`h${index}`)}`;
  });
  const [row] = await planning.rows(sql`SELECT ${joinFragments(columns, ",\n")}
    FROM object o JOIN plan_lease l ON l.object_id = o.object_id
    WHERE o.object_id = ${objectId}::BIGINT`);
  return new Map(
    rules.flatMap((rule) => {
      const { index } = rule;
      if (row?.[`h${index}`] !== true) return [];
      const until = new Date(Number(row[`u${index}`]));
      return [[index, { rule, until, copies: BigInt(row[`m${index}`] as number | bigint) }]];
    }),
  );
}

/** What the time of a rule means for one object: still wanted, or no longer. */
export function leaseWords({ rule, until, copies }: Lease, now: Date, names: BackendNames): string {
  const time = formatDuration(rule.forMs);
  if (until <= now) {
    return `over since ${until.toISOString()}: wanted for ${time} after it was made or read last`;
  }
  const places = [...names].filter(([id]) => ((copies >> BigInt(id)) & 1n) === 1n);
  const where = places.map(([, name]) => name).join(", ") || "no backend now";
  return `its copy on ${where} is wanted until ${until.toISOString()} (${time})`;
}
