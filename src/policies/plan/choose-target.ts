import type { Backend } from "#model/backend.ts";
import type { SqlRow } from "#model/sql.ts";
import { checkableMask } from "#policies/plan/copy-source.ts";
import { bitOf, maskOf, maskSql, noBackends, without } from "#policies/plan/mask-sql.ts";
import { withSame } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import {
  type BackendTerms,
  backendTerms,
  type ChoiceTerms,
  rendezvousDistance,
} from "#policies/plan/rendezvous.ts";
import { type Spread, withPeers } from "#policies/plan/spread.ts";
import { block } from "#policies/plan/take-turns.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** The backends that a rule may put copies on, and those it cannot use at the moment. */
export interface TargetChoice extends ChoiceTerms {
  readonly open: readonly Backend[];
  readonly openMask: bigint;
  /** Selected and able to take copies, but cordoned. */
  readonly cordoned: bigint;
}

export function targetChoice(
  planning: Planning,
  on: bigint,
  { per, prefer }: ChoiceTerms,
): TargetChoice {
  const able = planning.backends.filter(
    ({ id, capabilities }) => (on & bitOf(id)) !== 0n && capabilities.operations.includes("write"),
  );
  const open = able.filter(({ cordoned }) => !cordoned);
  const cordoned = maskOf(able.filter((backend) => backend.cordoned));
  return { open, openMask: maskOf(open), cordoned, per, prefer };
}

/**
 * Mask of open backends that can take this candidate (alias `c`): with room for it, or with an
 * unproven copy of it, which the copy step checks in place instead of writing it again.
 */
export function roomMask(planning: Planning, choice: TargetChoice): SqlFragment {
  const bounded: SqlFragment[] = [];
  let unbounded = 0n;
  for (const { id, capabilities } of choice.open) {
    const sizes = [planning.room.get(id), capabilities.bytesMax].filter(
      (size) => size !== undefined,
    );
    if (sizes.length === 0) unbounded |= bitOf(id);
    else {
      const fits = sql`c.size <= ${Math.min(...sizes)}::BIGINT`;
      bounded.push(sql` | CASE WHEN ${fits} THEN ${maskSql(bitOf(id))} ELSE 0 END`);
    }
  }
  const stuck = planning.hasStuck ? trusted("c.stuck_copies") : noBackends;
  return without(
    sql`((${checkableMask(planning)} & ${maskSql(choice.openMask)})
    | (~c.present_mask & (${maskSql(unbounded)}${joinFragments(bounded, "")})))`,
    stuck,
  );
}

/**
 * Why a candidate gets no target, from the masks `open` (backends it could go to), `room` (those
 * of them that can take it), `stuck_copies` and `cordoned`.
 */
export const noTargetReason = trusted(`CASE WHEN (open & stuck_copies) <> 0 THEN 'quarantined'
  WHEN (open & ~room & present) <> 0 THEN 'unverified'
  WHEN (open & ~room) <> 0 THEN 'capacity' WHEN cordoned <> 0 THEN 'cordon'
  ELSE 'no-target' END`);

/**
 * One target for each row of `plan_turn` that needs another one, into `plan_pick`; see `targetOf`.
 * A rule that wants several copies asks in as many rounds, of which the first `fresh` ones of a row
 * put copies where the rule's spread has none.
 */
export async function pickTargets(
  planning: Planning,
  choice: TargetChoice,
  { round, of, spread }: { round: number; of: number; spread?: Spread | undefined },
): Promise<void> {
  await planning.table(
    "plan_pick",
    sql`SELECT object_id, position, size, had, target,
      CASE WHEN (present >> target) & 1 = 1 THEN 0 ELSE size END AS cost
    FROM (SELECT t.*, ${targetOf(planning, choice)} AS target FROM ${turnsOf(planning, round, spread)} t
      WHERE t.needs >= ${round}::INTEGER)
    WHERE target IS NOT NULL`,
  );
  if (round === of || choice.open.length <= 1) return;
  await planning.run(sql`UPDATE plan_turn SET picked = plan_turn.picked | ${withSame(planning, trusted("(1::BIGINT << p.target)"))}
    FROM plan_pick p
    WHERE p.object_id = plan_turn.object_id AND plan_turn.needs > ${round}::INTEGER`);
}

/** The rows of `plan_turn`; as long as copies have to be spread, only with backends of new values. */
function turnsOf(planning: Planning, round: number, spread: Spread | undefined): SqlFragment {
  if (spread === undefined) return trusted("plan_turn");
  const taken = withPeers(planning, spread, trusted("counted | picked"));
  return sql`(SELECT * REPLACE (CASE WHEN fresh >= ${round}::INTEGER
    THEN eligible & ~${taken} ELSE eligible END AS eligible) FROM plan_turn)`;
}

/**
 * The backend for a row with alias `t`, null when none is eligible: away from backends that a
 * rule wants emptied, spread over the values of `per`, where the rule prefers it, not where a
 * demote of the same object will go, a copy that only needs checking before a new one, and then
 * by weighted rendezvous hashing by free space, which balances without memory and moves little
 * when backends come and go.
 */
export function targetOf(planning: Planning, choice: TargetChoice): SqlFragment {
  const { open } = choice;
  const [only] = open;
  if (only === undefined) return trusted("NULL::INTEGER");
  if (open.length === 1) {
    return sql`CASE WHEN ${isFree(maskSql(bitOf(only.id)))} THEN ${only.id}::INTEGER END`;
  }
  const ids = trusted(`([${open.map(({ id }) => id).join(", ")}]::INTEGER[])`);
  const keys = open.map((backend) => {
    const terms = backendTerms(planning, backend, choice);
    return sql`CASE WHEN ${isFree(terms.bit)} THEN ${targetKey(terms)} END`;
  });
  // The lambda gives the keys of a row a name: they are looked at twice.
  return sql`list_transform([[${joinFragments(keys, ", ")}]], lambda keys:
    CASE WHEN list_min(keys) IS NOT NULL
      THEN ${ids}[list_position(keys, list_min(keys))] END)[1]`;
}

function isFree(bit: SqlFragment): SqlFragment {
  return sql`(t.eligible & ~t.picked & ${bit}) <> 0`;
}

/** Each line outweighs all below it: there are at most 63 backends. */
function targetKey(terms: BackendTerms): SqlFragment {
  const { bit, peers, turn } = terms;
  return sql`CASE WHEN (t.avoid & ${bit}) <> 0 THEN 65536 ELSE 0 END
    + 256 * bit_count((t.counted | t.picked) & ${peers})
    + 4 * ${turn}
    + CASE WHEN (t.kept_free & ${bit}) <> 0 THEN 2 ELSE 0 END
    + CASE WHEN (t.present & ${bit}) <> 0 THEN 0 ELSE 1 END
    + ${rendezvousDistance("t.place", terms)}`;
}

/**
 * Drops the picks that no longer fit: within one plan a target fills up in plan order. A
 * collection that goes together is passed over when it does not fit as a whole.
 */
export async function fillTargets(planning: Planning, index: number): Promise<void> {
  if (planning.room.size === 0) return;
  if (planning.rules[index]?.group !== undefined) await passOverGroups(planning, index);
  if (await findRefused(planning)) {
    await block(planning, index, "capacity", trusted("FROM plan_refused"));
    await planning.run(
      trusted("DELETE FROM plan_pick WHERE object_id IN (SELECT object_id FROM plan_refused)"),
    );
  }
  for (const { target, bytes } of await wantedBytes(planning)) {
    const room = planning.room.get(Number(target));
    if (room !== undefined) planning.room.set(Number(target), room - Number(bytes));
  }
}

/** So many collections are passed over one by one; what still does not fit then is dropped. */
const passedOverMax = 100;

/** Takes out the first collection that does not fit, and looks again: the next one may. */
async function passOverGroups(planning: Planning, index: number): Promise<void> {
  for (let pass = 0; pass < passedOverMax && (await findRefused(planning)); pass += 1) {
    const [first] = await planning.rows(
      trusted(`SELECT c.collection FROM plan_refused r
      JOIN plan_pick p ON p.object_id = r.object_id
      JOIN plan_candidate c ON c.object_id = r.object_id
      WHERE c.collection IS NOT NULL ORDER BY p.position, p.object_id LIMIT 1`),
    );
    if (typeof first?.["collection"] !== "string") return;
    const members = sql`SELECT object_id FROM plan_candidate
      WHERE collection = ${first["collection"]}`;
    const left = sql`FROM plan_pick WHERE object_id IN (${members})`;
    await block(planning, index, "capacity", left);
    await planning.run(sql`DELETE ${left}`);
  }
}

/** `plan_refused`: picks beyond the room of their target; whether there are any. */
async function findRefused(planning: Planning): Promise<boolean> {
  const full = (await wantedBytes(planning)).flatMap(({ target, bytes }) => {
    const room = planning.room.get(Number(target));
    return room !== undefined && Number(bytes) > room
      ? [sql`(${Number(target)}::INTEGER, ${room}::BIGINT)`]
      : [];
  });
  if (full.length === 0) return false;
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_refused AS
    SELECT object_id, size FROM (
      SELECT p.*, f.room, sum(cost) OVER (
        PARTITION BY p.target ORDER BY position, object_id ROWS UNBOUNDED PRECEDING) AS filled
      FROM plan_pick p
      JOIN (VALUES ${joinFragments(full, ", ")}) f(target, room) ON f.target = p.target)
    WHERE cost > 0 AND filled > room`);
  return true;
}

async function wantedBytes(planning: Planning): Promise<readonly SqlRow[]> {
  return await planning.rows(sql`SELECT target, sum(cost)::BIGINT AS bytes
    FROM plan_pick GROUP BY target`);
}
