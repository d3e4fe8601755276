import type { Diagnostic } from "#model/diagnostic.ts";
import type { RunOrder } from "#model/run-order.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import type { Moment, OutsideNames } from "#policies/compiled-policy.ts";
import { nameHint } from "#model/name-hint.ts";

/** A webhook, command or folder of a rule that the configuration does not have. */
export function checkOutside({ policy, rule }: BoundRule, moment: Moment): readonly Diagnostic[] {
  const { verb, path } = rule;
  if (verb.kind !== "run" || moment.outside === undefined) return [];
  const wanted = wantedOf(verb.order);
  if (wanted === undefined) return [];
  const { name, key, what, section } = wanted;
  const known = moment.outside[section];
  if (known.includes(name)) return [];
  const range = policy.places.value([...path, "run", verb.order.action, key]);
  const message = `rule "${rule.name}": the configuration has no ${what} "${name}"`;
  const hint =
    known.length === 0
      ? `add it under ${section}: in thermocline.yaml`
      : nameHint(name, known, section);
  return [policy.places.diagnostic(range, { code: "E0308", message, hint })];
}

interface Wanted {
  readonly name: string;
  /** Where the rule says it, and where the configuration would. */
  readonly key: string;
  readonly what: string;
  readonly section: keyof OutsideNames;
}

function wantedOf(order: RunOrder): Wanted | undefined {
  switch (order.action) {
    case "notify":
      return { name: order.webhook, key: "webhook", what: "webhook", section: "webhooks" };
    case "command":
      return { name: order.command, key: "name", what: "command", section: "commands" };
    case "export-car":
      return { name: order.folder, key: "to", what: "export", section: "exports" };
    default:
      return undefined;
  }
}
