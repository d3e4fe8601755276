import type { SharedNames } from "#policies/definitions/shared-names.ts";
import type { ExpressionReader } from "#policies/expression-reader.ts";
import type { ClassScope, Scope } from "#policies/expression/check-context.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { parseExpression, reserved } from "#policies/expression/parse-expression.ts";
import type { Syntax } from "#policies/expression/syntax.ts";
import { expressionText, field, isRecord } from "#policies/raw-value.ts";

export interface ReadClasses extends ClassScope {
  /** Names of those that the document itself declares. */
  readonly own: readonly string[];
  /** Checks also what no rule uses; returns the names of those classes. */
  finish(): readonly string[];
}

type Body = { readonly scope: Scope; readonly expression: Expression } | undefined;

/** The classes of a document, each checked once, when first used, and those it has from others. */
export function readClasses(
  raw: unknown,
  reader: ExpressionReader,
  inherited: SharedNames["classes"],
): ReadClasses {
  const texts = classTexts(raw);
  const done = new Map<string, Body>();
  const open: string[] = [];
  const used = new Set<string>();

  const check = (name: string): Body => {
    if (done.has(name)) return done.get(name);
    if (open.includes(name)) {
      reportCycle([...open.slice(open.indexOf(name)), name], texts, reader);
      return undefined;
    }
    open.push(name);
    const body = readClass(name, texts.get(name) ?? "", reader);
    open.pop();
    done.set(name, body);
    return body;
  };
  return {
    own: [...texts.keys()],
    names: [...new Set([...texts.keys(), ...inherited.keys()])],
    body(name) {
      used.add(name);
      return texts.has(name) ? check(name) : inherited.get(name)?.body;
    },
    finish() {
      for (const name of texts.keys()) check(name);
      return [...texts.keys()].filter((name) => !used.has(name));
    },
  };
}

function classTexts(raw: unknown): ReadonlyMap<string, string> {
  const classes = field(raw, "classes");
  const entries = Object.entries(isRecord(classes) ? classes : {}).flatMap(([name, value]) => {
    const text = expressionText(value);
    return text === undefined ? [] : [[name, text] as const];
  });
  return new Map(entries);
}

function readClass(name: string, text: string, reader: ExpressionReader): Body {
  const path = ["classes", name];
  const isTaken = reader.registry.has(name) || reserved.includes(name) || name === "missing";
  if (isTaken || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    const span = { source: text, start: 0, end: text.length };
    const message = isTaken
      ? `"${name}" is a word of the language and cannot name a class`
      : `"${name}" cannot name a class`;
    const hint = "use letters, digits and underscores, such as scratch or old_scratch";
    reader.at(path)({ code: "E0165", span, message, hint });
    return undefined;
  }
  const syntax = parseExpression(text, () => undefined);
  const scope = syntax === undefined ? "object" : (scopeOf(syntax, reader) ?? "object");
  const expression = reader.condition(text, path, scope);
  return expression === undefined ? undefined : { scope, expression };
}

/** What a class describes follows from the first attribute or class it names. */
function scopeOf(syntax: Syntax, reader: ExpressionReader): Scope | undefined {
  switch (syntax.kind) {
    case "name":
      return scopeOfWord(syntax.name, reader);
    case "call":
      return (
        scopeOfWord(syntax.name, reader) ??
        syntax.arguments.map((part) => scopeOf(part, reader)).find((scope) => scope)
      );
    case "logical":
      return syntax.operands.map((part) => scopeOf(part, reader)).find((scope) => scope);
    case "not":
    case "negate":
      return scopeOf(syntax.operand, reader);
    case "between":
    case "in":
      return scopeOf(syntax.value, reader);
    case "comparison":
    case "arithmetic":
    case "like":
    case "matches":
    case "has":
      return scopeOf(syntax.left, reader) ?? scopeOf(syntax.right, reader);
    default:
      return undefined;
  }
}

function scopeOfWord(name: string, reader: ExpressionReader): Scope | undefined {
  const scope = reader.registry.get(name)?.scope;
  if (scope === "value") return undefined;
  return scope === "copy" ? "backend" : scope;
}

function reportCycle(
  cycle: readonly string[],
  texts: ReadonlyMap<string, string>,
  reader: ExpressionReader,
): void {
  const last = cycle.at(-2) ?? "";
  const source = texts.get(last) ?? "";
  const start = Math.max(0, source.search(new RegExp(`\\b${cycle.at(-1) ?? ""}\\b`)));
  const end = start + (cycle.at(-1)?.length ?? 1);
  const message = `classes refer to each other in a circle: ${cycle.join(" → ")}`;
  const hint = "write one of them out";
  reader.at(["classes", last])({ code: "E0164", span: { source, start, end }, message, hint });
}
