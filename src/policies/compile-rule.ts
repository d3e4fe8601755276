import type { SqlContext } from "#policies/attribute-definition.ts";
import type { CompiledRule, CompiledVerb, Moment } from "#policies/compiled-policy.ts";
import { compileCondition, compileValue } from "#policies/expression/compile-expression.ts";
import { type Expression, readsName } from "#policies/expression/expression.ts";
import { fittingBackends } from "#policies/fitting-backends.ts";
import type { BackendCondition, Policy, Rule } from "#policies/policy.ts";
import { compileBounds, type CompiledBounds, type RemovalBounds } from "#policies/removal-bound.ts";
import { backendsIn, bitCount, maskOf } from "#policies/plan/mask-sql.ts";
import { preferredBackends } from "#policies/preferred-backends.ts";
import { trusted } from "#policies/sql-fragment.ts";

/** A rule beside what it compiled to, for the checks that need both. */
export interface BoundRule {
  readonly policy: Policy;
  readonly rule: Rule;
  readonly compiled: CompiledRule;
}

/** Binds one rule: conditions over objects become SQL, those over backends masks. */
export function compileRule(rule: Rule, policy: Policy, moment: Moment): CompiledRule {
  const context = sqlContext(moment, "o.path");
  const byName = sqlContext(moment, "n.path");
  return {
    id: `${policy.name}/${rule.name}`,
    policy: policy.name,
    place: policy.places.label(rule.path),
    where: compileCondition(rule.where, context),
    whereByName: readsName(rule.where) ? compileCondition(rule.where, byName) : undefined,
    expression: rule.where,
    verb: compileVerb(rule, moment),
    order: rule.order.map(({ key, descending }) => ({
      key: compileValue(key, context),
      descending,
    })),
    limit: rule.limit,
    ...(rule.group === undefined ? {} : { group: rule.group }),
    ...(policy.horizonMs === undefined || rule.force ? {} : { horizonMs: policy.horizonMs }),
  };
}

/** What SQL is compiled for; `path` says which name of the object is meant. */
export function sqlContext({ now, heat, backends }: Moment, path: "o.path" | "n.path"): SqlContext {
  return { now, heat, backends, path: trusted(path) };
}

function compileVerb({ verb }: Rule, moment: Moment): CompiledVerb {
  const mask = ({ condition }: BackendCondition): bigint => backendMask(condition, moment);
  switch (verb.kind) {
    case "hold":
    case "delete":
      return verb;
    case "ensure": {
      const on = mask(verb.on);
      const { min, max } = verb.copies;
      const copies = { min: min === "all" ? bitCount(on) : min, max };
      const { prefer, ...terms } = verb;
      return { ...terms, copies, on, ...preferredBackends(prefer, moment) };
    }
    case "run":
      return { ...verb, on: verb.on === undefined ? 0n : mask(verb.on) };
    case "evict": {
      const from = mask(verb.from);
      return { kind: "evict", from, ...boundsAt(verb, from, moment) };
    }
    case "promote": {
      const to = mask(verb.to);
      // Left out, `from` means wherever the object is now.
      const time = verb.forMs === undefined ? {} : { forMs: verb.forMs };
      const choice = preferredBackends(verb.prefer, moment);
      return { kind: "promote", from: mask(verb.from) & ~to, to, ...choice, ...time };
    }
    default: {
      const from = mask(verb.from);
      const choice = preferredBackends(verb.prefer, moment);
      return {
        kind: verb.kind,
        from,
        to: mask(verb.to),
        ...choice,
        ...boundsAt(verb, from, moment),
      };
    }
  }
}

function boundsAt(bounds: RemovalBounds, from: bigint, { backends }: Moment): CompiledBounds {
  return compileBounds(bounds, backendsIn(from, backends));
}

/** The backends for which a condition is true, as a mask over their ids. */
function backendMask(condition: Expression, moment: Moment): bigint {
  return maskOf(fittingBackends(condition, moment));
}
