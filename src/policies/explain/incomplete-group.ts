import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { clauseOf, testsIn } from "#policies/explain/clause.ts";
import { explainClauses } from "#policies/explain/explain-clauses.ts";
import { nameObjects } from "#policies/explain/name-objects.ts";
import { readTests } from "#policies/explain/read-tests.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { unselectedOf } from "#policies/plan/scan-candidates.ts";
import { sql } from "#policies/sql-fragment.ts";

/** So many objects are named; the others are counted. */
const namedMax = 3;

/**
 * For each rule that selects an object, but not every object of its collection, and would have
 * to: which objects it leaves out, and the clause that does so. By place of the rule.
 */
export async function incompleteGroups(
  planning: Planning,
  objectId: number,
): Promise<ReadonlyMap<number, string>> {
  const waits = new Map<number, string>();
  if (!planning.rules.some(isWhole)) return waits;
  const rows = await planning.rows(sql`SELECT p.rule, p.collection,
      (SELECT count(*) FROM object WHERE collection = p.collection) AS members
    FROM plan_partial p
    WHERE p.collection = (SELECT collection FROM object WHERE object_id = ${objectId}::BIGINT)`);
  for (const row of rows) {
    const index = Number(row["rule"]);
    const collection = String(row["collection"]);
    const asked = { index, collection, objectId };
    const { objects, count } = await unselectedOf(planning, asked, namedMax);
    if (count === 0) continue;
    const shown = await Promise.all(objects.map((id) => leftOut(planning, index, id)));
    const more = count > shown.length ? `; and ${count - shown.length} more` : "";
    waits.set(
      index,
      `it does not select ${count} of the ${Number(row["members"])} objects of collection ` +
        `${collection}, and they go together: ${shown.join("; ")}${more}`,
    );
  }
  return waits;
}

function isWhole({ group, verb }: CompiledPolicySet["rules"][number]): boolean {
  return group !== undefined && verb.kind !== "ensure";
}

/** An object that a rule does not select, with the first clause that is false of it. */
async function leftOut(planning: Planning, index: number, objectId: number): Promise<string> {
  const { set, session } = planning;
  const name = (await nameObjects(planning, [objectId])).get(objectId) ?? `#${objectId}`;
  const rule = set.rules[index];
  if (rule === undefined) return name;
  const clause = clauseOf(rule.expression);
  const tests = testsIn(clause).map((test) => [test, false] as const);
  const readings = await readTests(session, set.moment, objectId, tests);
  const lines = explainClauses(clause, { moment: set.moment, readings });
  const line = lines.find(({ holds, value }) => !holds && value !== "");
  if (line === undefined) return name;
  const text = line.text.trim().replace(/^(?:and|or) /, "");
  const isSaid = line.flip === undefined || line.flip === `needs ${text}`;
  return `${name} (${text} is false, now ${line.value}${isSaid ? "" : `; ${line.flip}`})`;
}
