import type { GuardResult } from "#model/plan.ts";
import { formatSize } from "#model/quantity.ts";
import { roomOf, type Planning } from "#policies/plan/planning.ts";
import type { RowGroup, RowSummary } from "#policies/plan/summarise-rows.ts";

/** Shares (0 to 1) beyond which a plan is refused unless a person overrides the guard. */
export interface GuardLimits {
  /** Objects that lose or move a copy, of all objects. Pure replication is not counted. */
  readonly objectsShareMax: number;
  /** Objects whose content is deleted for good, of all objects. Tombstones are not counted. */
  readonly deletesShareMax: number;
  /** Capacity of each backend that stays free. */
  readonly headRoomShare: number;
}

/** Judges the finished rows; `apply` refuses a plan with a guard that did not pass. */
export function checkGuards(
  planning: Planning,
  { groups, objects }: RowSummary,
  limits: GuardLimits,
): readonly GuardResult[] {
  return [
    shareGuard({
      guard: "objects",
      what: "lose or move a copy",
      count: objects.touched,
      objects: objects.all,
      share: limits.objectsShareMax,
    }),
    shareGuard({
      guard: "deletes",
      what: "are deleted for good",
      count: objects.deleted,
      objects: objects.all,
      share: limits.deletesShareMax,
    }),
    minimumGuard(planning, objects.belowMinimum),
    capacityGuard(planning, groups, limits.headRoomShare),
  ];
}

interface ShareQuestion {
  readonly guard: "objects" | "deletes";
  readonly what: string;
  readonly count: number;
  readonly objects: number;
  readonly share: number;
}

/** A single object always passes: in a tiny index every share is large. */
function shareGuard({ guard, what, count, objects, share }: ShareQuestion): GuardResult {
  const allowed = Math.max(1, Math.floor(objects * share));
  const percent = `${Number((share * 100).toFixed(2))} %`;
  return {
    guard,
    passed: count <= allowed,
    message: `${count} of ${objects} objects ${what} (allowed: ${allowed}, ${percent})`,
    override: guard,
  };
}

/** Nothing overrides this guard. */
function minimumGuard({ minimumCopies }: Planning, below: number): GuardResult {
  return {
    guard: "minimum-copies",
    passed: below === 0,
    message: `${below} objects would fall below ${minimumCopies} verified copies`,
  };
}

function capacityGuard(
  planning: Planning,
  groups: readonly RowGroup[],
  headRoomShare: number,
): GuardResult {
  const over = planning.set.moment.backends
    .toSorted((a, b) => a.id - b.id)
    .flatMap((backend) => {
      const bytes = groups
        .filter(({ target }) => target === backend.id)
        .reduce((sum, { bytesMoved }) => sum + bytesMoved, 0);
      const room = roomOf(backend, headRoomShare);
      if (room === undefined || bytes <= room) return [];
      const much = formatSize(bytes);
      return [`${backend.name} would get ${much} and has room for ${formatSize(room)}`];
    });
  const kept = `${Number((headRoomShare * 100).toFixed(2))} % of each capacity stays free`;
  return {
    guard: "capacity",
    passed: over.length === 0,
    message: over.length === 0 ? `all copies fit, and ${kept}` : over.join("; "),
    override: "capacity",
  };
}
