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
    const { switchedOff = [] } = set;
    const isOff = switchedOff.some((id) => isOf(request.rule, id));
    if (isOff) {
      const what = switchedOff.includes(request.rule) ? "it is" : "all its rules are";
      throw new EngineError("NOT_FOUND", `"${request.rule}" asks nothing: ${what} switched off`, {
        hint: "remove `enabled: false` to see what it would act on",
      });
    }
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

/** Whether a rule is the one that is asked for, or one of the policy that is. */
function isOf(asked: string, id: string): boolean {
  return id === asked || id.startsWith(`${asked}/`);
}
