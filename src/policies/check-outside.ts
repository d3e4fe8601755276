import type { Diagnostic } from "#model/diagnostic.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import type { Moment } from "#policies/compiled-policy.ts";
import { nameHint } from "#model/name-hint.ts";

/** A webhook or command of a rule that the configuration does not have. */
export function checkOutside({ policy, rule }: BoundRule, moment: Moment): readonly Diagnostic[] {
  const { verb, path } = rule;
  if (verb.kind !== "run" || moment.outside === undefined) return [];
  const { order } = verb;
  if (order.action !== "notify" && order.action !== "command") return [];
  const [name, known, key, kind] =
    order.action === "notify"
      ? [order.webhook, moment.outside.webhooks, "webhook", "webhooks"]
      : [order.command, moment.outside.commands, "name", "commands"];
  if (known.includes(name)) return [];
  const range = policy.places.value([...path, "run", order.action, key]);
  const message = `rule "${rule.name}": the configuration has no ${order.action === "notify" ? "webhook" : "command"} "${name}"`;
  const hint =
    known.length === 0 ? `add it under ${kind}: in thermocline.yaml` : nameHint(name, known, kind);
  return [policy.places.diagnostic(range, { code: "E0308", message, hint })];
}
