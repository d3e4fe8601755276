import type { EngineContext } from "#engine/context.ts";
import type { Execution } from "#engine/execution.ts";
import { filterOf } from "#engine/objects.ts";
import type { FailureSelection } from "#index/failures/read-failures.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError, errorCodes } from "#model/engine-error.ts";
import type { FailureFilter } from "#model/failure.ts";
import { toStatement } from "#policies/sql-fragment.ts";

type FailurePart = Pick<
  EngineApi,
  | "failures"
  | "releaseQuarantine"
  | "dismissFailures"
  | "suspensions"
  | "releaseSuspension"
  | "repairs"
  | "reportOutage"
>;

/** What failed, and the ways out of it. */
export function failurePart(context: EngineContext, execution: Execution): FailurePart {
  const { index, now, watch } = context;
  return {
    async failures({ offset, limit, quarantined, ...filter }) {
      const selection = await selectionOf(context, filter);
      const chosen = quarantined === true ? { ...selection, quarantined } : selection;
      const causes = await index.failures.causes(chosen);
      return {
        total: causes.reduce((sum, { count }) => sum + count, 0),
        causes: causes.map((cause) => ({ ...cause, remedy: remedyOf(cause.code) })),
        failures: await index.failures.failures(chosen, { offset, limit }),
      };
    },
    async releaseQuarantine(filter, reason) {
      const selection = await selectionOf(context, filter);
      return { released: await index.failures.releaseQuarantine(selection, reason, now()) };
    },
    async dismissFailures(filter, reason) {
      const selection = await selectionOf(context, filter);
      return { dismissed: await index.failures.dismiss(selection, reason, now()) };
    },
    suspensions: () => index.failures.suspensions(),
    async releaseSuspension(policy, reason) {
      if (!(await index.failures.releaseSuspension(policy, reason, now()))) {
        throw new EngineError("NOT_FOUND", `policy ${policy} is not suspended`, {
          hint: "`thermocline suspensions ls` lists those that are",
        });
      }
      execution.wake();
    },
    repairs: (limit) => index.failures.repairs(limit),
    async reportOutage(report) {
      watch.report(report);
    },
  };
}

/** What to do about a cause, for people. */
function remedyOf(code: string): string {
  // The remedy of the code is about plans that are refused.
  if (code === "REFUSED") return "who was asked said no: see the message, and mend it there";
  const facts = Object.hasOwn(errorCodes, code)
    ? errorCodes[code as keyof typeof errorCodes]
    : undefined;
  return facts?.remedy ?? "see the message";
}

async function selectionOf(
  context: EngineContext,
  { where, object, ...filter }: FailureFilter,
): Promise<FailureSelection> {
  return {
    ...filter,
    ...(object === undefined ? {} : { objectId: await context.index.findObject(object) }),
    ...(where === undefined ? {} : { where: toStatement(await filterOf(context, where)) }),
  };
}
