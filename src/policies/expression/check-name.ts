import { tiers } from "#model/copy.ts";
import type { AttributeDefinition } from "#policies/attribute-definition.ts";
import { canonicalCid } from "#policies/expression/canonical-cid.ts";
import type { CheckContext, Scope } from "#policies/expression/check-context.ts";
import { checkClass } from "#policies/expression/check-class.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { nameHint } from "#model/name-hint.ts";
import { nearestMatch } from "#model/nearest-match.ts";
import { foreignNameHint, storageClassHint } from "#policies/foreign-words.ts";
import type { Syntax } from "#policies/expression/syntax.ts";
import { cidType, unknownType, type ValueType } from "#policies/expression/value-type.ts";

type Name = Extract<Syntax, { kind: "name" }>;

/** A bare word: an attribute, a word of an ordered type, a class, or a CID. */
export function checkName(
  syntax: Name,
  expected: ValueType | undefined,
  context: CheckContext,
): Expression {
  const { name, key, span } = syntax;
  const definition = context.registry.get(name);
  if (definition?.kind === "attribute" && inScope(definition.scope, context.scope)) {
    reportKey(syntax, definition, context);
    return { kind: "attribute", definition, key, type: definition.type, span };
  }
  if (expected?.kind === "ordinal" && expected.words.includes(name)) {
    return { kind: "literal", type: expected, value: name, span };
  }
  if (context.classes.names.includes(name)) return checkClass(name, span, context);
  const cid = canonicalCid(name);
  if (cid !== undefined) return { kind: "literal", type: cidType, value: cid, span };
  reportUnknown(syntax, definition, expected, context);
  // Out of place, but its type still tells what its neighbour means.
  const type = definition?.kind === "attribute" ? definition.type : unknownType;
  return { kind: "literal", type, value: null, span };
}

/** Whether a bare word means something by itself, without its neighbour's type. */
export function standsAlone(syntax: Syntax, context: CheckContext): boolean {
  if (syntax.kind !== "name") return true;
  return context.registry.has(syntax.name);
}

/** Conditions over copies may also use what describes their backends. */
function inScope(scope: AttributeDefinition["scope"], wanted: Scope): boolean {
  return scope === "value" || scope === wanted || (scope === "backend" && wanted === "copy");
}

/** The attributes and functions that may be used in a scope, for hints. */
export function namesInScope(context: CheckContext): readonly string[] {
  return [...context.registry.values()]
    .filter((definition) => inScope(definition.scope, context.scope))
    .map((definition) => definition.name);
}

function reportKey(
  { name, key, span }: Name,
  definition: AttributeDefinition,
  context: CheckContext,
): void {
  const keyed = definition.kind === "attribute" && "keyed" in definition;
  if (keyed === (key !== undefined)) return;
  context.report({
    code: "E0201",
    span,
    message: keyed ? `"${name}" needs a key` : `"${name}" has no keys`,
    hint: keyed ? `write ${name}.<key>, such as ${definition.example}` : `write ${name}`,
  });
}

function reportUnknown(
  { name, span }: Name,
  definition: AttributeDefinition | undefined,
  expected: ValueType | undefined,
  context: CheckContext,
): void {
  if (definition?.kind === "function" || definition?.kind === "computation") {
    const hint = `write ${definition.example}`;
    context.report({ code: "E0201", span, message: `"${name}" needs arguments`, hint });
    return;
  }
  if (definition !== undefined) {
    const [found, wanted] =
      definition.scope === "object" ? ["objects", "backends"] : ["backends", "objects"];
    context.report({
      code: "E0205",
      span,
      message: `"${name}" describes ${found}; here ${wanted} are described`,
      hint: `known here: ${namesInScope(context).join(", ")}`,
    });
    return;
  }
  if (expected?.kind === "ordinal") {
    const hint =
      storageClassHint(name) ?? nameHint(name, expected.words, `values of ${expected.name}`);
    context.report({
      code: "E0207",
      span,
      message: `there is no ${expected.name} "${name}"`,
      hint,
    });
    return;
  }
  const names = [...namesInScope(context), ...context.classes.names];
  const message = `unknown name "${name}"`;
  const hint = nameHint(name, names, "known here");
  // On which side of a comparison it stands is not known here: it may be a text, or a wrong name.
  const quoted = `a text is written in quotes: "${name}"`;
  const both = nearestMatch(name, names) === undefined ? quoted : `${hint} (${quoted})`;
  const isText = expected?.kind === "text";
  const isTier = context.scope !== "object" && tiers.some((tier) => tier === name);
  const isCid = /^(?:baf|bag|Qm)\w{4,}$/.test(name);
  const meant = isCid
    ? "it begins as CIDs do and is none: look whether it is whole"
    : isTier
      ? `write tier = ${name}`
      : foreignNameHint(name, context.scope);
  context.report({ code: "E0201", span, message, hint: meant ?? (isText ? both : hint) });
}
