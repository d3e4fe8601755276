import { createHash } from "node:crypto";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import * as digest from "multiformats/hashes/digest";
import { sha256 } from "multiformats/hashes/sha2";
import type { FixtureObject } from "#model/fixture.ts";
import type { Access, NewCopy } from "#model/index-store.ts";
import type { FixtureAttributes } from "#policies/testing/policy-test-schema.ts";

type FixtureLease = FixtureObject["leases"][number];

const standardSize = 2 ** 20;

/** What a test says of an object → the object as the index of the test holds it. */
export function supposeObject(
  attributes: FixtureAttributes,
  testName: string,
  now: Date,
): FixtureObject {
  const before = (ms: number): Date => new Date(now.getTime() - ms);
  const maybeBefore = (ms: number | undefined) => (ms === undefined ? undefined : before(ms));
  const { name, path = [], size = standardSize, tags = [], copies = [] } = attributes;
  const cid = attributes.cid ?? madeUpCid(`${testName}/${name}`);
  const accesses = readsOf(attributes, cid, before);
  const created = before(attributes.age ?? oldest(attributes));
  return {
    cid,
    size,
    profile: "unixfs-v1-2025",
    names: path,
    type: attributes.type,
    collection: attributes.collection,
    owner: attributes.owner,
    tags,
    created,
    modified: maybeBefore(attributes.modified),
    ingested: created,
    tombstoned: maybeBefore(attributes.deleting),
    moved: maybeBefore(attributes.moved),
    held: attributes.held ?? false,
    arriving: copies.flatMap((copy) => ("arriving" in copy && copy.arriving ? [copy.on] : [])),
    accesses,
    heat: attributes.heat === undefined ? undefined : { value: attributes.heat, at: now },
    leases: (attributes.ran ?? [])
      .map(({ by: rule, ago }): FixtureLease => ({
        rule,
        backend: undefined,
        since: before(ago),
      }))
      .concat(leasesOf(copies, before)),
    locks: locksOf(copies, now),
    copies: copies.flatMap((copy): readonly NewCopy[] => {
      if ("arriving" in copy && copy.arriving) return [];
      const stored = { locator: cid, form: "file", bytes: size } as const;
      const checkedAt = before("age" in copy ? (copy.age ?? 0) : 0);
      const { on: backend, state, confidence } = copy;
      return [{ backend, copy: stored, state, confidence, checkedAt }];
    }),
  };
}

/** An object is at least as old as what is said to have happened to it. */
function oldest({ idle = 0, reads = [], deleting = 0, moved = 0 }: FixtureAttributes): number {
  return Math.max(idle, deleting, moved, ...reads.map((read) => read.ago));
}

function readsOf(
  { idle, reads = [] }: FixtureAttributes,
  object: string,
  before: (ms: number) => Date,
): readonly Access[] {
  const listed = idle === undefined ? reads : [{ ago: idle, count: 1, weight: 1 }];
  return listed.flatMap(({ ago, count, weight }) =>
    Array.from({ length: count }, () => ({ object, at: before(ago), weight })),
  );
}

/** Copies that rules had made for a time. */
function leasesOf(
  copies: NonNullable<FixtureAttributes["copies"]>,
  before: (ms: number) => Date,
): readonly FixtureLease[] {
  return copies.flatMap((copy): readonly FixtureLease[] => {
    if (!("leased" in copy) || copy.leased === undefined) return [];
    const { by: rule, ago } = copy.leased;
    // What was made and is lost is on no lease any more, but the rule had it.
    return [{ rule, backend: copy.state === "present" ? copy.on : undefined, since: before(ago) }];
  });
}

/** Copies that their backends let nobody remove. */
function locksOf(
  copies: NonNullable<FixtureAttributes["copies"]>,
  now: Date,
): FixtureObject["locks"] {
  return copies.flatMap((copy): FixtureObject["locks"] => {
    if (!("locked" in copy) || copy.locked === undefined) return [];
    const { on: backend, locked } = copy;
    if (locked === "legal-hold") return [{ backend, lock: { legalHold: true } }];
    const until = new Date(now.getTime() + locked).toISOString();
    return [{ backend, lock: { legalHold: false, until, mode: "COMPLIANCE" } }];
  });
}

/** A CID of its own for every object of every test, the same each time. */
function madeUpCid(text: string): string {
  const hash = createHash("sha256").update(`policy test: ${text}`).digest();
  return CID.createV1(raw.code, digest.create(sha256.code, hash)).toString();
}
