import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import {
  type ClassScope,
  type CheckContext,
  noClasses,
  noVariables,
  type Scope,
  type VariableScope,
} from "#policies/expression/check-context.ts";
import type { Expression } from "#policies/expression/expression.ts";
import type { ReportProblem } from "#policies/expression/expression-problem.ts";
import { readCondition, readValue } from "#policies/expression/read-expression.ts";

/** Reads the expressions of one document and turns their problems into diagnostics. */
export class ExpressionReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly registry: AttributeRegistry;
  readonly #places: DocumentPlaces;
  variables: VariableScope = noVariables;
  classes: ClassScope = noClasses;

  constructor(registry: AttributeRegistry, places: DocumentPlaces) {
    this.registry = registry;
    this.#places = places;
  }

  condition(text: string, path: DocumentPath, scope: Scope): Expression | undefined {
    return readCondition(text, this.context(path, scope));
  }

  value(text: string, path: DocumentPath, scope: Scope): Expression | undefined {
    return readValue(text, this.context(path, scope));
  }

  /** What names mean at a path, with problems going to their place in the file. */
  context(path: DocumentPath, scope: Scope): CheckContext {
    const { registry, classes, variables } = this;
    return { registry, classes, scope, variables, report: this.at(path) };
  }

  /** Reports problems of the text at a path. */
  at(path: DocumentPath): ReportProblem {
    return ({ code, span, message, hint }) => {
      const range = this.#places.within(path, span.start, span.end);
      const severity = code.startsWith("W") ? "warning" : "error";
      this.diagnostics.push(this.#places.diagnostic(range, { code, message, hint, severity }));
    };
  }
}
