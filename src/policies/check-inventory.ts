import type { DocumentPath } from "#document/document-places.ts";
import type { Backend } from "#model/backend.ts";
import { confidences } from "#model/copy.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DriverOperation } from "#model/driver.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import type { Moment } from "#policies/compiled-policy.ts";
import type { DiagnosticCode } from "#policies/diagnostic-codes.ts";
import { type Expression, operandsOf } from "#policies/expression/expression.ts";
import type { Span } from "#policies/expression/span.ts";
import { nameHint } from "#model/name-hint.ts";
import { backendsIn } from "#policies/plan/mask-sql.ts";
import type { RemovalBounds } from "#policies/removal-bound.ts";
import { closedReason } from "#policies/closed-services.ts";
import { dealDriver } from "#policies/deal-terms.ts";
import { spreadValue } from "#policies/spread-value.ts";

/** What a rule asks of backends that the configured ones cannot give. */
export function checkInventory(bound: BoundRule, moment: Moment): readonly Diagnostic[] {
  const check = new InventoryCheck(bound, moment);
  const { verb, path } = bound.rule;
  const { verb: masks } = bound.compiled;
  check.names(bound.rule.where, [...path, "where"]);
  for (const { key, path: place } of ("prefer" in verb && verb.prefer) || []) {
    check.names(key, place);
  }
  if (verb.kind === "ensure" && masks.kind === "ensure") {
    const selected = check.selected(verb.on.condition, verb.on.path, masks.on);
    if (selected.length > 0) check.ensure(selected, verb, masks.copies.min, path);
    if (verb.deal !== undefined) check.deals(selected, verb.on.path);
  }
  if (verb.kind === "evict" && masks.kind === "evict") {
    const from = check.selected(verb.from.condition, verb.from.path, masks.from);
    check.capable(from, "remove", verb.from.path);
    check.marks(from, verb, verb.from.path);
  }
  if (verb.kind === "demote" && masks.kind === "demote") {
    const from = check.selected(verb.from.condition, verb.from.path, masks.from);
    const to = check.selected(verb.to.condition, verb.to.path, masks.to);
    check.capable(from, "remove", verb.from.path);
    check.targets(to, verb.to.path);
    check.marks(from, verb, verb.from.path);
    const both = from.filter((backend) => to.includes(backend)).map(({ name }) => `"${name}"`);
    if (both.length > 0) {
      const message = `${both.join(", ")} would be source and target at once`;
      check.report("E0303", verb.to.path, message, "make from: and to: exclude each other");
    }
  }
  if (verb.kind === "promote" && masks.kind === "promote") {
    check.selected(verb.from.condition, verb.from.path, masks.from);
    check.targets(check.selected(verb.to.condition, verb.to.path, masks.to), verb.to.path);
  }
  if (verb.kind === "run" && verb.on !== undefined && masks.kind === "run") {
    check.selected(verb.on.condition, verb.on.path, masks.on);
  }
  return check.diagnostics;
}

type Ensure = Extract<BoundRule["rule"]["verb"], { kind: "ensure" }>;

class InventoryCheck {
  readonly diagnostics: Diagnostic[] = [];
  readonly #bound: BoundRule;
  readonly #backends: readonly Backend[];

  constructor(bound: BoundRule, moment: Moment) {
    this.#bound = bound;
    this.#backends = moment.backends;
  }

  report(code: DiagnosticCode, path: DocumentPath, message: string, hint: string): void {
    const { places } = this.#bound.policy;
    const severity = code.startsWith("W") ? "warning" : "error";
    const finding = {
      code,
      message: `rule "${this.#bound.rule.name}": ${message}`,
      hint,
      severity,
    };
    this.diagnostics.push(places.diagnostic(places.value(path), { ...finding, severity }));
  }

  /** The backends in a mask; none is an error, for which a misspelt name is the likely cause. */
  selected(condition: Expression, path: DocumentPath, mask: bigint): readonly Backend[] {
    const hasStrange = this.names(condition, path);
    const found = backendsIn(mask, this.#backends);
    if (found.length === 0 && !hasStrange) {
      this.report("E0301", path, "no configured backend fits", describe(this.#backends));
    }
    return found;
  }

  /** Reports names of backends that are not configured; whether there were any. */
  names(condition: Expression, path: DocumentPath): boolean {
    const names = this.#backends.map(({ name }) => name);
    const strange = comparedNames(condition, path).filter(({ value }) => !names.includes(value));
    for (const { value, place, span, ofClass } of strange) {
      const { policy } = this.#bound;
      const places = policy.classPlaces.get(ofClass ?? "") ?? policy.places;
      const range = places.within(place, span.start, span.end);
      const message = `there is no backend "${value}"`;
      const hint = nameHint(value, names, "configured backends");
      this.diagnostics.push(places.diagnostic(range, { code: "E0305", message, hint }));
    }
    return strange.length > 0;
  }

  ensure(selected: readonly Backend[], verb: Ensure, min: number, path: DocumentPath): void {
    if (selected.length < min) {
      const message = `${min} copies are asked for, and ${count(selected)} fit`;
      this.report(
        "E0302",
        verb.on.path,
        message,
        `lower copies:, or widen on:; fitting: ${list(selected)}`,
      );
      return;
    }
    this.targets(selected, verb.on.path);
    const able = selected.filter(({ capabilities }) => reaches(capabilities.confidence, verb));
    if (able.length < min) {
      const message = `${count(able)} can be checked up to "${verb.confidence}", ${min} are needed`;
      this.report("E0306", [...path, "ensure"], message, lowerHint(selected, able));
    }
    const { per } = verb;
    if (per === undefined) return;
    const values = new Set(selected.map((backend) => spreadValue(backend, per)));
    if (values.size >= min) return;
    const message = `${min} copies cannot be in as many values of ${per}: there are ${values.size}`;
    this.report("W0411", [...path, "ensure", "per"], message, "some copies will share one value");
  }

  /** Shares of a capacity that nobody knows. */
  marks(from: readonly Backend[], { above, until }: RemovalBounds, path: DocumentPath): void {
    const isShare = [above, until].some((mark) => mark !== undefined && "share" in mark);
    const unbounded = from.filter(({ capacityBytes }) => capacityBytes === undefined);
    if (!isShare || unbounded.length === 0) return;
    const message = `${list(unbounded)} has no capacity that a share could be of`;
    this.report("E0307", path, message, "give the backend a capacity:, or write the mark in bytes");
  }

  /** Terms of deals mean nothing to other kinds of storage. */
  deals(selected: readonly Backend[], path: DocumentPath): void {
    const others = selected.filter(({ driver }) => driver !== dealDriver);
    if (others.length === 0) return;
    const message = `${list(others)} makes no deals: that is for the driver "${dealDriver}"`;
    this.report("E0309", path, message, `write on: driver = "${dealDriver}"`);
  }

  /** Backends that copies shall be made on. */
  targets(selected: readonly Backend[], path: DocumentPath): void {
    this.capable(selected, "write", path);
    for (const backend of selected) {
      const reason = closedReason(backend.driver);
      if (reason === undefined) continue;
      const message = `no copies can be made on "${backend.name}" now: ${reason}`;
      this.report("W0421", path, message, "let copies go to other backends");
    }
    if (selected.length === 0 || !selected.every(({ cordoned }) => cordoned)) return;
    const message = `${list(selected)} is cordoned: no new copies are made there now`;
    this.report("W0407", path, message, "uncordon it, or widen the condition");
  }

  capable(selected: readonly Backend[], operation: DriverOperation, path: DocumentPath): void {
    if (selected.length === 0) return;
    const able = selected.some(({ capabilities }) => capabilities.operations.includes(operation));
    if (able) return;
    const drivers = [...new Set(selected.map(({ driver }) => `"${driver}"`))].join(", ");
    const message = `the driver ${drivers} of ${list(selected)} cannot ${operation}`;
    this.report("E0304", path, message, "choose backends whose driver can; see the driver pages");
  }
}

function reaches(levels: readonly string[], { confidence }: Ensure): boolean {
  const needed = confidences.indexOf(confidence);
  return confidences.some((level, rank) => rank >= needed && levels.includes(level));
}

interface ComparedName {
  readonly value: string;
  readonly place: DocumentPath;
  readonly span: Span;
  /** The class in which it stands, which may be in another document. */
  readonly ofClass: string | undefined;
}

/** The texts that a condition, or a class in it, compares the name of a backend with. */
function comparedNames(
  expression: Expression,
  place: DocumentPath,
  ofClass?: string,
): readonly ComparedName[] {
  if (expression.kind === "class") {
    return comparedNames(expression.body, ["classes", expression.name], expression.name);
  }
  const operands = operandsOf(expression);
  const isCompared =
    (expression.kind === "comparison" || expression.kind === "in") &&
    operands.some((part) => part.kind === "attribute" && part.definition.name === "backend");
  if (!isCompared) return operands.flatMap((operand) => comparedNames(operand, place, ofClass));
  return operands.flatMap((part) =>
    part.kind === "literal" && typeof part.value === "string"
      ? [{ value: part.value, place, span: part.span, ofClass }]
      : [],
  );
}

function list(backends: readonly Backend[]): string {
  return backends.length === 0 ? "none" : backends.map(({ name }) => `"${name}"`).join(", ");
}

/** What each of the others can be checked up to, and what would have it be more. */
function lowerHint(selected: readonly Backend[], able: readonly Backend[]): string {
  const lower = selected.filter((backend) => !able.includes(backend));
  const said = lower.map(({ name, capabilities: { confidence } }) => {
    return `"${name}" only up to "${confidences.findLast((level) => confidence.includes(level)) ?? "claimed"}"`;
  });
  const unread = lower.filter(({ capabilities: { operations } }) => !operations.includes("read"));
  const read =
    unread.length === 0
      ? ""
      : `; nothing can be read back from ${list(unread)}: where its driver has an option for that ` +
        "(gateway, rpc), give it";
  return `ask for a lower confidence: ${said.join(", ")}${read}`;
}

function count(backends: readonly Backend[]): string {
  return backends.length === 1 ? "1 backend" : `${backends.length} backends`;
}

function describe(backends: readonly Backend[]): string {
  const known = backends.map(({ name, driver, tier, region }) =>
    [name, driver, tier, ...(region === undefined ? [] : [region])].join(" "),
  );
  return known.length === 0
    ? "no backends are configured"
    : `configured (name driver tier region): ${known.join("; ")}`;
}
