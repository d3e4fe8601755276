import { createHash } from "node:crypto";
import type { Backend } from "#model/backend.ts";
import { bitOf, maskOf, maskSql } from "#policies/plan/mask-sql.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Weighted rendezvous hashing: each backend has a distance to each object, drawn from both
 * their hashes and shrunk by the backend's weight; the nearest ones are chosen. The distance
 * (0 to 1) is that of an object row with the digest bits `place` and a row of the table below.
 * DuckDB's two-argument hash() is badly correlated: one argument, both halves combined.
 */
export function rendezvousDistance(object: "t" | "c"): SqlFragment {
  const draw = `((hash(xor(${object}.place, b.salt)) >> 11)::DOUBLE + 0.5) / 9007199254740992.0`;
  const length = `(-ln(${draw}) / b.weight)`;
  return trusted(`${length} / (1 + ${length})`);
}

/** What a choice of backends heeds besides their room. */
export interface ChoiceTerms {
  /** Attribute to spread over. */
  readonly per?: string | undefined;
  /** Which of them go first, as long as they have room. */
  readonly prefer?: readonly bigint[] | undefined;
}

/**
 * Backends as a table: id, bit, salt, weight, the mask of peers that share `per`'s value,
 * and how many groups of backends are preferred to it.
 */
export function rendezvousTable(
  planning: Planning,
  backends: readonly Backend[],
  { per, prefer }: ChoiceTerms,
): SqlFragment {
  const turnOf = ({ id }: Backend) => prefer?.findIndex((group) => (group & bitOf(id)) !== 0n) ?? 0;
  const rows = backends.map(
    (backend) => sql`(${backend.id}::INTEGER, ${maskSql(bitOf(backend.id))},
      ${saltOf(backend.name)}::BIGINT, ${weightOf(planning, backend)}::DOUBLE,
      ${maskSql(peersOf(planning, backend, per))}, ${turnOf(backend)}::INTEGER)`,
  );
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
  const value = attributeOf(backend, per);
  return maskOf(backends.filter((peer) => attributeOf(peer, per) === value));
}

function attributeOf(backend: Backend, attribute: string): string | undefined {
  if (attribute.startsWith("labels.")) return backend.labels[attribute.slice("labels.".length)];
  if (attribute === "region" || attribute === "tier" || attribute === "driver") {
    return backend[attribute];
  }
  return backend.name;
}
