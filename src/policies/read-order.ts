import type { DocumentPath } from "#document/document-places.ts";
import type { ExpressionReader } from "#policies/expression-reader.ts";
import type { Scope } from "#policies/expression/check-context.ts";
import { givesOrder, splitDirection } from "#policies/expression/order-key.ts";
import { describeType } from "#policies/expression/value-type.ts";
import type { OrderKey } from "#policies/policy.ts";

/**
 * The keys of `order` and `prefer`, from the YAML value. What goes first among backends may be
 * told by conditions as well: those of which one is true go first, or last where `asc` is said.
 */
export function readOrder(
  raw: unknown,
  path: DocumentPath,
  reader: ExpressionReader,
  scope: Scope,
): readonly OrderKey[] {
  const entries: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  return entries.flatMap((entry, position) => {
    if (typeof entry !== "string") return [];
    const place = Array.isArray(raw) ? [...path, position] : path;
    const { text, direction } = splitDirection(entry);
    const key = reader.value(text, place, scope);
    if (key === undefined) return [];
    if (scope === "backend" && key.type.kind === "boolean") {
      // Said of a condition, a direction says which of its values goes first: false before true.
      return [{ key, path: place, descending: direction !== "asc" }];
    }
    if (givesOrder(key.type)) return [{ key, path: place, descending: direction === "desc" }];
    const message = `${describeType(key.type)} gives no order`;
    const hint = "order by an attribute: [heat asc, size desc]";
    reader.at(place)({ code: "E0210", span: key.span, message, hint });
    return [];
  });
}
