import { type TestObject, testNow } from "./random-objects.ts";

/** What is said of an object among others, with its meaning, as in random-expressions.ts. */
interface Meaning<Value> {
  readonly text: string;
  readonly of: (object: TestObject) => Value | null;
}

const condition = (text: string, of: Meaning<boolean>["of"]): Meaning<boolean> => ({ text, of });
const duration = (text: string, of: Meaning<number>["of"]): Meaning<number> => ({ text, of });

export const seriesDurations: readonly Meaning<number>[] = [
  duration("superseded()", (object) => supersededFor(object, ({ collection }) => collection)),
  duration("superseded(owner, size > 4KiB)", (object) =>
    supersededFor(
      object,
      ({ owner }) => owner,
      ({ size }) => size > 4096,
    ),
  ),
];

export const seriesConditions: readonly Meaning<boolean>[] = [
  condition("newest(2)", (object) => isNewest(object, 2, ({ collection }) => collection)),
  condition("newest(3, owner)", (object) => isNewest(object, 3, ({ owner }) => owner)),
  condition("newest(1, path)", (object) =>
    isNewest(object, 1, ({ collection, path }) => path && JSON.stringify([collection, path])),
  ),
  condition("newest(2MiB)", (object) =>
    isWithinBytes(object, 2 ** 21, ({ collection }) => collection),
  ),
  condition("newest(3, day, type)", (object) =>
    isNewestOfEach(object, 3, ({ type }) => type, dayOf),
  ),
  condition("newest(2, month, owner)", (object) =>
    isNewestOfEach(object, 2, ({ owner }) => owner, monthOf),
  ),
  condition(
    "missing(superseded(path))",
    (object) =>
      supersededFor(
        object,
        ({ collection, path }) => path && JSON.stringify([collection, path]),
      ) === null,
  ),
];

type Key = (object: TestObject) => string | null;

/** The objects with copies that have the same key, newest first; undefined without a key. */
function seriesFor(
  object: TestObject,
  key: Key,
  counts: (other: TestObject) => boolean = () => true,
): readonly TestObject[] | undefined {
  const own = key(object);
  const hasCopies = Object.keys(object.copies).length > 0;
  if (own === null || !hasCopies || !counts(object)) return undefined;
  return object.all
    .filter((other) => key(other) === own && Object.keys(other.copies).length > 0 && counts(other))
    .toSorted((a, b) => b.created - a.created);
}

function supersededFor(
  object: TestObject,
  key: Key,
  counts?: (other: TestObject) => boolean,
): number | null {
  const series = seriesFor(object, key, counts)?.map(({ created }) => created) ?? [];
  const newer = series.filter((created) => created > object.created);
  return newer.length === 0 ? null : testNow - Math.min(...newer);
}

function isNewest(object: TestObject, count: number, key: Key): boolean | null {
  const series = seriesFor(object, key);
  if (series === undefined) return null;
  const last = series[count - 1];
  return last === undefined || object.created >= last.created;
}

function isWithinBytes(object: TestObject, bytes: number, key: Key): boolean | null {
  const series = seriesFor(object, key);
  if (series === undefined) return null;
  const newer = series.filter(({ created }) => created > object.created);
  return newer.reduce((sum, { size }) => sum + size, 0) < bytes;
}

/** Newest of its span, and the span among the last ones: spans by their names, such as dates. */
function isNewestOfEach(
  object: TestObject,
  count: number,
  key: Key,
  spanOf: (created: number) => string,
): boolean | null {
  const series = seriesFor(object, key);
  if (series === undefined) return null;
  const span = spanOf(object.created);
  const spans = [...new Set(series.map(({ created }) => spanOf(created)))];
  const last = spans[count - 1];
  const isLate = last === undefined || span >= last;
  const rivals = series.filter(({ created }) => spanOf(created) === span);
  return isLate && rivals.every(({ created }) => created <= object.created);
}

const dayOf = (created: number): string => new Date(created).toISOString().slice(0, 10);
const monthOf = (created: number): string => dayOf(created).slice(0, 7);
