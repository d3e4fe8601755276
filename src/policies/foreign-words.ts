import type { Scope } from "#policies/expression/check-context.ts";

/**
 * What people who come from peer systems write, and what to write instead. Looked up without
 * regard to case, dashes and underscores; nothing here has a meaning of its own.
 */
type Advice = readonly (readonly [words: string, advice: string])[];

const idle = 'write idle, as in "idle > 30d"';
const changed = 'write now - modified, as in "now - modified > 30d"';
const age = 'write age, as in "age > 30d"';
const size = 'write size, as in "size > 1MiB"';
const path = 'write path, as in path like "/logs/**"';
const copies = 'ask where its copies are: copies(backend = "glacier") >= 1';
const versions = "write not newest(3, path): path, as they are versions of what has one name";

/** Names of attributes and functions. */
const names: Advice = [
  ["days hours", 'durations have a unit: "age > 30d"; of each day is newest(7, day)'],
  ["lastAccess accessTime accessAge atime daysAfterLastAccessTimeGreaterThan", idle],
  ["lastMod lastModified modificationTime mtime daysAfterModificationGreaterThan", changed],
  ["creation creationTime ctime daysAfterCreationGreaterThan expirationDays", age],
  ["kbAllocated mbAllocated fileSize objectSizeGreaterThan objectSizeLessThan", size],
  ["fileHeat", 'write heat, as in "heat > 2"'],
  ["currentTimestamp currentDate today", "write now"],
  ["prefix prefixMatch matchesPrefix pathName tree include exclude", path],
  ["suffix matchesSuffix", 'write name like "*.log"'],
  ["iname", 'write lower(name) like "*.jpg"'],
  ["user userId uid account", 'write owner, as in owner = "ana"'],
  ["group groupId gid xattr metadata", 'it is a tag key=value: meta.group = "…"'],
  ["fileset filesetName bucket container dataset", 'write collection = "…"'],
  ["tag blobIndexMatch", 'write tags has "…", or meta.key = "…" for a tag key=value'],
  ["numNewerVersions newerNoncurrentVersions keepLast keepDaily keepWeekly keep", versions],
  [
    "noncurrentDays daysSinceNoncurrentTime",
    'write superseded(path), as in "superseded(path) > 30d"',
  ],
  ["isLive", "write newest(1, path)"],
  [
    "daysSinceCustomTime customTimeBefore",
    'write timestamp(meta.key), as in "timestamp(meta.expires) < now"',
  ],
  ["storageClass matchesStorageClass pool poolName rse lhsmStatus", copies],
  ["inAllGroup lackingCopies", 'write lacks(labels.group = "…") = 0'],
  ["rand random", "the same inputs give the same plan: order by cid, and set a limit"],
  ["dircount directory", "directories are no objects: path like, depth"],
  ["regex regexp regexLike", 'write name matches "…"'],
  ["substr substring", 'write name like "…" or name matches "…"'],
  ["dayOfWeek weekday", "a policy has a schedule: and windows:"],
  ["greatest", "write max(one, other)"],
  ["least", "write min(one, other)"],
];

/** The same where backends are described, as in `on:` or `from:`. */
const backendNames: Advice = [
  [
    "storageClass matchesStorageClass pool poolName rse bucket container fileset volume",
    'write backend = "…"',
  ],
  ["zone availabilityZone location datacenter site country", 'write region = "…", or labels.key'],
  ["media mediaType storageType temperature", "write tier = cold, or labels.key"],
];

/** Keys of a rule. */
const keys: Advice = [
  [
    "transition transitions migrate move tierToCool tierToArchive setStorageClass",
    'write demote: {from: tier = hot, to: backend = "…"}, and the age in where:',
  ],
  [
    "expiration expire noncurrentVersionExpiration",
    "write delete: {grace: 7d}, and the age in where:",
  ],
  ["status disabled isEnabled active", "write enabled: false"],
  ["filter condition definition", "say it in where:"],
  ["weight sort lruSortAttr", "write order: [idle desc]"],
  ["threshold highThresholdPct lowThresholdPct", "write above: 90%, until: 70% in evict or demote"],
  ["lifetime expireIn ttl", "write for: 14d"],
  [
    "replicationFactorMin replicationFactorMax repFactor replicas numcopies",
    'write copies: "2..3"',
  ],
  ["rses allocations target pool", "write on:, as in on: tier = hot"],
  ["grouping", "write group: collection beside the verb"],
  ["keep", "say it in where:, as in not newest(3)"],
  ["calendars holidays", "a calendar is a document of its own: kind: Calendar"],
  ["cron every timezone", "write schedule: {cron: …}"],
  ["maxActionCount maxActionVolume", "write limit: {objects: 100k, bytes: 1TiB}"],
];

/** What stands after a complete value where an operator was expected. */
const continuations: Advice = [
  ["and or not in like between matches has", "words of the language are in small letters"],
  ["is", "ask with missing(x), or x = null"],
  [
    "days day hours hour weeks week minutes years",
    "units follow the number at once: 30d, 12h, 2w, 1y",
  ],
  ["months month", "a month has no fixed length: write 30d"],
  ["kb mb gb tb kib mib gib tib bytes", "units follow the number at once: 10GB, 10GiB, 512B"],
];

const table = (advice: Advice): ReadonlyMap<string, string> =>
  new Map(advice.flatMap(([words, text]) => words.split(" ").map((word) => [plain(word), text])));

const plain = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, "");

const tables = {
  name: table(names),
  backendName: table(backendNames),
  key: table(keys),
  continuation: table(continuations),
} as const;

/** What to write instead of a word of another system; undefined when none is known. */
export function foreignWordHint(word: string, place: keyof typeof tables): string | undefined {
  return tables[place].get(plain(word));
}

/** The same for a name, by what is described where it stands. */
export function foreignNameHint(word: string, scope: Scope): string | undefined {
  if (scope === "object") return foreignWordHint(word, "name");
  const ofObjects = foreignWordHint(word, "name") && "it asks about objects: say it in where:";
  return foreignWordHint(word, "backendName") ?? ofObjects;
}

const storageClasses =
  /^(standard|onezone|glacier|deep|intelligent|nearline|coldline|cool|premium)/i;

/** What to write where a storage class was taken for a tier. */
export function storageClassHint(word: string): string | undefined {
  return storageClasses.test(word)
    ? `a storage class is a backend here: backend = "${word.toLowerCase().replaceAll("_", "-")}"`
    : undefined;
}
