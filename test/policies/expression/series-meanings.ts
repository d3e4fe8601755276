import { type TestObject, testNow } from "./random-objects.ts";

/** What is said of an object among others, with its meaning, as in random-expressions.ts. */
interface Meaning<Value> {
  readonly text: string;
  readonly of: (object: TestObject) => Value | null;
}

const condition = (text: string, of: Meaning<boolean>["of"]): Meaning<boolean> => ({ text, of });
const duration = (text: string, of: Meaning<number>["of"]): Meaning<number> => ({ text, of });

/** What makes a series, and by which times its members are in order. */
interface Key {
  readonly of: (object: TestObject) => string | null;
  /** Versions of a file, files of one name anywhere, or what has the same value. */
  readonly by: "path" | "name" | "value";
}

const valueKey = (of: Key["of"]): Key => ({ of, by: "value" });
const byCollection = valueKey(({ collection }) => collection);
const byOwner = valueKey(({ owner }) => owner);
const byType = valueKey(({ type }) => type);
const byPath: Key = {
  by: "path",
  of: ({ collection, path }) => path && JSON.stringify([collection, path]),
};
const byName: Key = {
  by: "name",
  of: ({ collection, path }) => path && JSON.stringify([collection, path.split("/").at(-1)]),
};

export const seriesDurations: readonly Meaning<number>[] = [
  duration("superseded()", (object) => supersededFor(object, byCollection)),
  duration("superseded(owner, size > 4KiB)", (object) =>
    supersededFor(object, byOwner, ({ size }) => size > 4096),
  ),
  duration("superseded(path)", (object) => supersededFor(object, byPath)),
  duration("superseded(name)", (object) => supersededFor(object, byName)),
];

export const seriesConditions: readonly Meaning<boolean>[] = [
  condition("newest(2)", (object) => isNewest(object, 2, byCollection)),
  condition("newest(3, owner)", (object) => isNewest(object, 3, byOwner)),
  condition("newest(1, path)", (object) => isNewest(object, 1, byPath)),
  condition("newest(2, name)", (object) => isNewest(object, 2, byName)),
  condition("newest(2MiB)", (object) => isWithinBytes(object, 2 ** 21, byCollection)),
  condition("newest(3, day, type)", (object) => isNewestOfEach(object, 3, byType, dayOf)),
  condition("newest(2, month, owner)", (object) => isNewestOfEach(object, 2, byOwner, monthOf)),
  condition("missing(superseded(path))", (object) => supersededFor(object, byPath) === null),
  condition("version_rank <= 2", (object) => rankOf(object, (rank) => rank <= 2)),
  condition("version_rank = 1", (object) => rankOf(object, (rank) => rank === 1)),
];

type Counts = (object: TestObject) => boolean;

/** An object and when it came, as far as somebody told. */
interface Member {
  readonly object: TestObject;
  readonly came: number;
}

/** Whether it takes part at all: with copies, with the attribute, and where the condition holds. */
function counts(object: TestObject, key: Key, also: Counts): boolean {
  return key.of(object) !== null && Object.keys(object.copies).length > 0 && also(object);
}

/** When it came, for its place among the others; undefined where that is a guess. */
function cameAt({ guessed, created, named }: TestObject, { by }: Key): number | undefined {
  if (by === "value") return guessed === "created" ? undefined : created;
  if (by === "name") return guessed === null ? created : undefined;
  if (guessed === null) return Math.max(created, named ?? created);
  return named ?? undefined;
}

/** Every moment at which content of that name came, old content that came back included. */
function arrivals(object: TestObject, key: Key): readonly number[] {
  const came = cameAt(object, key);
  if (came === undefined) return [];
  if (key.by !== "path") return [came];
  const { created, named, ingested, guessed } = object;
  return [
    ...(guessed === null ? [created] : []),
    ...(named === null ? [] : [named]),
    ...(guessed === null && named !== null && named >= ingested ? [ingested] : []),
  ];
}

/** The dated members that have the same key, newest first. */
function seriesFor(object: TestObject, key: Key, also: Counts = () => true): readonly Member[] {
  return object.all
    .filter((other) => key.of(other) === key.of(object) && counts(other, key, also))
    .flatMap((other) => {
      const came = cameAt(other, key);
      return came === undefined ? [] : [{ object: other, came }];
    })
    .toSorted((a, b) => b.came - a.came);
}

function supersededFor(object: TestObject, key: Key, also: Counts = () => true): number | null {
  const came = cameAt(object, key);
  if (came === undefined || !counts(object, key, also)) return null;
  const series = seriesFor(object, key, also);
  const later = series.flatMap((member) => arrivals(member.object, key)).filter((at) => at > came);
  return later.length === 0 ? null : testNow - Math.min(...later);
}

/** What nobody dated counts as current; what does not count is unknown. */
function judged(
  object: TestObject,
  key: Key,
  judge: (came: number, series: readonly Member[]) => boolean,
): boolean | null {
  if (!counts(object, key, () => true)) return null;
  const came = cameAt(object, key);
  return came === undefined ? true : judge(came, seriesFor(object, key));
}

function isNewest(object: TestObject, count: number, key: Key): boolean | null {
  return judged(object, key, (came, series) => {
    const last = series[count - 1];
    return last === undefined || came >= last.came;
  });
}

function isWithinBytes(object: TestObject, bytes: number, key: Key): boolean | null {
  return judged(object, key, (came, series) => {
    const newer = series.filter((member) => member.came > came);
    return newer.reduce((sum, member) => sum + member.object.size, 0) < bytes;
  });
}

/** Newest of its span, and the span among the last ones: spans by their names, such as dates. */
function isNewestOfEach(
  object: TestObject,
  count: number,
  key: Key,
  spanOf: (came: number) => string,
): boolean | null {
  return judged(object, key, (own, series) => {
    const span = spanOf(own);
    const spans = [...new Set(series.map(({ came }) => spanOf(came)))];
    const last = spans[count - 1];
    const isLate = last === undefined || span >= last;
    const rivals = series.filter(({ came }) => spanOf(came) === span);
    return isLate && rivals.every(({ came }) => came <= own);
  });
}

/** Its place in its collection, where copies of its own do not matter. */
function rankOf(object: TestObject, is: (rank: number) => boolean): boolean | null {
  if (object.collection === null) return null;
  const came = cameAt(object, byCollection);
  if (came === undefined) return is(1);
  const newer = seriesFor(object, byCollection).filter((member) => member.came > came);
  return is(newer.length + 1);
}

const dayOf = (came: number): string => new Date(came).toISOString().slice(0, 10);
const monthOf = (came: number): string => dayOf(came).slice(0, 7);
