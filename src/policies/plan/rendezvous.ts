import { createHash } from "node:crypto";
import type { Backend } from "#model/backend.ts";
import { bitOf, maskOf, maskSql } from "#policies/plan/mask-sql.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { spreadValue } from "#policies/spread-value.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** The bits of an object's digest that its choices rest on, over `object o`. */
export const objectPlace = "o.cid[-7:]::BIT::BIGINT";

/** What a choice of backends heeds besides their room. */
export interface ChoiceTerms {
  /** Attribute to spread over. */
  readonly per?: string | undefined;
  /** Which of them go first, as long as they have room. */
  readonly prefer?: readonly bigint[] | undefined;
}

/** What a choice knows of a backend, as SQL. */
export interface BackendTerms {
  readonly bit: SqlFragment;
  readonly salt: SqlFragment;
  readonly weight: SqlFragment;
  /** Mask of the backends that share its value of `per`. */
  readonly peers: SqlFragment;
  /** How many groups of backends are preferred to it. */
  readonly turn: SqlFragment;
}

/** The terms of one backend. */
export function backendTerms(
  planning: Planning,
  backend: Backend,
  { per, prefer }: ChoiceTerms,
): BackendTerms {
  const bit = bitOf(backend.id);
  return {
    bit: maskSql(bit),
    salt: sql`${saltOf(backend.name)}::BIGINT`,
    weight: sql`${weightOf(planning, backend)}::DOUBLE`,
    peers: maskSql(peersOf(planning, backend, per)),
    turn: sql`${prefer?.findIndex((group) => (group & bit) !== 0n) ?? 0}::INTEGER`,
  };
}

/**
 * Weighted rendezvous hashing: each backend has a distance to each object, drawn from both
 * their hashes and shrunk by the backend's weight; the nearest ones are chosen. The distance
 * (0 to 1) is that of an object with the digest bits `place` to a backend with these terms.
 * DuckDB's two-argument hash() is badly correlated: one argument, both halves combined.
 */
export function rendezvousDistance(
  place: "c.place" | "t.place",
  { salt, weight }: Pick<BackendTerms, "salt" | "weight">,
): SqlFragment {
  const draw = sql`((hash(xor(${trusted(place)}, ${salt})) >> 11)::DOUBLE + 0.5)
    / 9007199254740992.0`;
  const length = sql`(-ln(${draw}) / ${weight})`;
  return sql`${length} / (1 + ${length})`;
}

/** The terms of backends as columns of the table below, with alias `b`. */
export const rendezvousColumns = { salt: trusted("b.salt"), weight: trusted("b.weight") };

/** Backends as a table: their ids and terms. */
export function rendezvousTable(
  planning: Planning,
  backends: readonly Backend[],
  choice: ChoiceTerms,
): SqlFragment {
  const rows = backends.map((backend) => {
    const { bit, salt, weight, peers, turn } = backendTerms(planning, backend, choice);
    return sql`(${backend.id}::INTEGER, ${bit}, ${salt}, ${weight}, ${peers}, ${turn})`;
  });
  return sql`(SELECT * FROM (VALUES ${joinFragments(rows, ", ")})
    b(id, bit, salt, weight, peers, turn))`;
}

/** The first 52 bits of SHA-256 over the name: ids may differ between inventories. */
function saltOf(name: string): number {
  return Number.parseInt(createHash("sha256").update(name).digest("hex").slice(0, 13), 16);
}

/** Free space relative to the roomiest backend of the inventory, 1 where it is unknown. */
function weightOf({ backends }: Planning, { freeBytes }: Backend): number {
  if (freeBytes === undefined) return 1;
  const largest = Math.max(...backends.map((backend) => backend.freeBytes ?? 0), 1);
  return Math.max(freeBytes / largest, 1e-6);
}

/** Backends with the same value of the attribute to spread over; none when nothing is spread. */
function peersOf({ backends }: Planning, backend: Backend, per: string | undefined): bigint {
  if (per === undefined) return 0n;
  const value = spreadValue(backend, per);
  return maskOf(backends.filter((peer) => spreadValue(peer, per) === value));
}
