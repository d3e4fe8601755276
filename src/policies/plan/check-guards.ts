import type { GuardResult } from "#model/plan.ts";
import { formatSize } from "#model/quantity.ts";
import { roomOf, type Planning } from "#policies/plan/planning.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";

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
export async function checkGuards(
  planning: Planning,
  limits: GuardLimits,
): Promise<readonly GuardResult[]> {
  const [counts] = await planning.rows(
    trusted(`SELECT
      (SELECT count(*) FROM object) AS objects,
      count(DISTINCT object_id) FILTER (victim IS NOT NULL OR verb = 'tombstone') AS touched,
      count(DISTINCT object_id) FILTER (verb = 'delete') AS deleted
    FROM plan_row`),
  );
  const objects = Number(counts?.["objects"] ?? 0);
  return [
    shareGuard({
      guard: "objects",
      what: "lose or move a copy",
      count: Number(counts?.["touched"] ?? 0),
      objects,
      share: limits.objectsShareMax,
    }),
    shareGuard({
      guard: "deletes",
      what: "are deleted for good",
      count: Number(counts?.["deleted"] ?? 0),
      objects,
      share: limits.deletesShareMax,
    }),
    await minimumGuard(planning),
    await capacityGuard(planning, limits.headRoomShare),
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

/** Asks the index afresh, apart from the code that planned; nothing overrides this guard. */
async function minimumGuard(planning: Planning): Promise<GuardResult> {
  const minimum = planning.minimumCopies;
  const [result] = await planning.rows(sql`SELECT count(*) AS below FROM (
      SELECT object_id, bit_or(1::BIGINT << victim) AS gone,
        coalesce(bit_or(1::BIGINT << target), 0) AS come
      FROM plan_row WHERE verb <> 'delete' AND verb <> 'tombstone' GROUP BY object_id) r
    JOIN object o ON o.object_id = r.object_id
    WHERE r.gone IS NOT NULL
      AND bit_count((o.verified_mask | r.come) & ~r.gone) < ${minimum}::INTEGER`);
  const below = Number(result?.["below"] ?? 0);
  return {
    guard: "minimum-copies",
    passed: below === 0,
    message: `${below} objects would fall below ${minimum} verified copies`,
  };
}

async function capacityGuard(planning: Planning, headRoomShare: number): Promise<GuardResult> {
  const added = await planning.rows(
    trusted(`SELECT target, sum(size)::BIGINT AS bytes
    FROM plan_row WHERE writes GROUP BY target ORDER BY target`),
  );
  const over = added.flatMap(({ target, bytes }) => {
    const backend = planning.backends.find(({ id }) => id === Number(target));
    const room = backend && roomOf(backend, headRoomShare);
    if (!backend || room === undefined || Number(bytes) <= room) return [];
    const much = formatSize(Number(bytes));
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
