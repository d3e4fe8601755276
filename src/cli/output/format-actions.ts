import type { Backend } from "#model/backend.ts";
import type { PlanAction } from "#model/plan.ts";
import { formatSize } from "#model/quantity.ts";
import { textTable } from "#cli/output/text-table.ts";

export type BackendName = Pick<Backend, "id" | "name">;

/** Actions of a plan, one line each, with the reason. */
export function formatActions(
  actions: readonly PlanAction[],
  backends: readonly BackendName[],
): string {
  const names = new Map(backends.map(({ id, name }) => [id, name]));
  const nameOf = (id: number | null): string => (id === null ? "" : (names.get(id) ?? String(id)));
  return textTable(
    [
      { title: "#", right: true },
      { title: "action" },
      { title: "object" },
      { title: "size", right: true },
      { title: "to, or on" },
      { title: "remove from" },
      { title: "rule" },
      { title: "because" },
    ],
    actions.map((action) => [
      String(action.sequence),
      action.verb,
      action.cid,
      formatSize(action.size),
      nameOf(action.target ?? (action.victim === null ? action.source : null)),
      nameOf(action.victim),
      action.rule,
      action.reason,
    ]),
  );
}
