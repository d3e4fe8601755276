import type { ExplainSource } from "#engine/explain.ts";
import { readTime } from "#engine/read-time.ts";
import type { RuleStatement, RuleStatementRequest } from "#model/explanation.ts";
import { EngineError } from "#model/engine-error.ts";
import { nameHint } from "#model/name-hint.ts";
import { ruleStatement } from "#policies/explain/rule-statement.ts";

/** What the rules of a policy ask of the index, as SQL. Throws NOT_FOUND with a nearest match. */
export async function ruleStatements(
  { policies, moment, now }: Pick<ExplainSource, "policies" | "moment" | "now">,
  request: RuleStatementRequest,
): Promise<readonly RuleStatement[]> {
  const at = request.at === undefined ? now() : readTime(request.at);
  const set = await policies.compile(await moment(at), { variables: request.variables });
  const asked = set.rules.filter(({ id, policy }) => [id, policy].includes(request.rule));
  if (asked.length === 0) {
    const known = set.rules.flatMap(({ id, policy }) => [id, policy]);
    throw new EngineError("NOT_FOUND", `there is no policy or rule "${request.rule}"`, {
      hint: nameHint(request.rule, [...new Set(known)], "policies and rules"),
    });
  }
  return asked.map((rule) => ({
    rule: rule.id,
    place: rule.place,
    verb: rule.verb.kind,
    sql: ruleStatement(rule, set),
  }));
}
