import { z } from "zod";
import type { RunOrder } from "#model/run-order.ts";
import command from "#policies/run-actions/command.ts";
import exportCar from "#policies/run-actions/export-car.ts";
import notify from "#policies/run-actions/notify.ts";
import type { RunningRule, RunSetting } from "#policies/run-actions/run-action.ts";
import tag from "#policies/run-actions/tag.ts";
import verify from "#policies/run-actions/verify.ts";
import type { SqlFragment } from "#policies/sql-fragment.ts";

/** Every action of `run:`. A list and no look into the folder, since the schema of policies rests on it. */
export const runActionDefinitions = [verify, tag, notify, command, exportCar] as const;

/** What stands under `run:`: the name of one action, and what it needs to know. */
export const runField = z
  .strictObject({
    verify: verify.schema,
    tag: tag.schema,
    notify: notify.schema,
    command: command.schema,
    "export-car": exportCar.schema,
  })
  .partial()
  .describe("One action for its own sake, done to each object once, or every so often.");

/** The one setting of a valid `run:`. */
export function runSetting(given: z.output<typeof runField>): RunSetting | undefined {
  return given.verify ?? given.tag ?? given.notify ?? given.command ?? given["export-car"];
}

/** What is done to an object, in words that do not depend on the time of evaluation. */
export function runWords(order: RunOrder): string {
  switch (order.action) {
    case "verify":
      return verify.words(order);
    case "notify":
      return notify.words(order);
    case "command":
      return command.words(order);
    case "export-car":
      return exportCar.words(order);
    default:
      return tag.words(order);
  }
}

/** SQL over `o`, never null: the rule may want something of this object. */
export function runWants(rule: RunningRule): SqlFragment {
  const { order } = rule.verb;
  switch (order.action) {
    case "verify":
      return verify.wants(rule, order);
    case "notify":
      return notify.wants(rule, order);
    case "command":
      return command.wants(rule, order);
    case "export-car":
      return exportCar.wants(rule, order);
    default:
      return tag.wants(rule, order);
  }
}
