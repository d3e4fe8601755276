import type { RuleStatement } from "#model/explanation.ts";

/**
 * SQL that can be run as it is; what it leaves out stands in a comment. It begins with no dash,
 * so that a shell can hand it to `index query`.
 */
export function formatRuleStatements(statements: readonly RuleStatement[]): string {
  const parts = statements.map(({ rule, place, verb, sql }) => {
    const title = `${rule} (${verb}), ${place}`.replaceAll("*/", "* /");
    return `/* ${title} */\n${sql};\n`;
  });
  return `/* What each rule would act on, were it alone: without holds and other rules, limits,
   room at targets, times of copies and whole collections. See a plan for the rest. */
${parts.join("\n")}`;
}
