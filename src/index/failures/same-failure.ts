/**
 * A condition over two aliases with the columns of `failing_actions`: both are about the same half
 * of an action on the same object and backend. What rules with `run:` have done is each rule's own.
 */
export function isSameFailure(one: string, other: string): string {
  return `${one}.object_id = ${other}.object_id AND ${one}.step = ${other}.step
    AND ${one}.backend_id IS NOT DISTINCT FROM ${other}.backend_id
    AND ${ruleOf(one)} IS NOT DISTINCT FROM ${ruleOf(other)}`;
}

function ruleOf(alias: string): string {
  return `CASE WHEN ${alias}.step = 'act' THEN ${alias}.rule END`;
}
