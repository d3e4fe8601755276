import { micros } from "#index/connection.ts";
import { heatSettings } from "#index/heat-settings.ts";
import { releaseTable } from "#index/release-table.ts";
import type { Transaction } from "#index/transaction.ts";
import type { AccessCounts } from "#model/index-store.ts";
import type { SqlRow, SqlValue } from "#model/sql.ts";

// 2^x overflows a double near x = 1,024; the landmark moves long before.
const halfLivesMax = 400;

/** Rows that DuckDB keeps, and writes, together. */
const rowGroupRows = 122_880;
/** From so many objects on the bytes of a fold count for more than the blocks of a checkpoint. */
const manyObjects = 50_000;

/** So many reads are grouped at a time, in so many parts at most: each reads all of them once. */
const readsOfPart = 2_500_000;
const partsMax = 16;

/**
 * Adds reads to heat by forward decay (a read at t weighs weight · 2^((t − landmark) / half-life),
 * so that time alone never rewrites a row), to the daily counts and to the last access. A read
 * of weight 0 (a probe, our own verification) leaves no trace.
 *
 * The reads are those in the temporary table `resolved_accesses`: `object_id, read_at, weight`. Many
 * are counted by ranges of objects: to group few of them at a time takes less memory and time than
 * to group all at once, and objects side by side are updated together.
 */
export async function foldAccesses(transaction: Transaction, now: Date): Promise<AccessCounts> {
  await moveLandmark(transaction, now);
  const { landmark, halfLifeMs } = await heatSettings(transaction.connection);
  const reads = await transaction.row<ReadFacts>(readFacts);
  // Often all days are there, or none: looked up before the first of them is added.
  const { some } = await transaction.row<{ some: boolean }>(someDaysAreKnown);
  const decay = [micros(landmark), Math.LN2 / (halfLifeMs * 1_000)];
  const all = { read: 0, rowGroups: 0 };
  for (const range of rangesOf(reads)) {
    const { read, rowGroups } = await foldRange(transaction, { ...reads, some }, [
      ...decay,
      ...range,
    ]);
    all.read += read;
    all.rowGroups += rowGroups;
  }
  if (isDense(all, reads.objects)) transaction.checkpointAtCommit();
  return { applied: reads.applied, unknown: reads.unknown };
}

/** Ids from the first up to the second, without that. */
type IdRange = readonly [from: number, to: number];

/** So many equal parts of the ids that none has too many reads to group, if they lie evenly. */
function rangesOf({ applied, first, last }: ReadFacts): readonly IdRange[] {
  if (first === null || last === null) return [];
  const parts = Math.min(partsMax, Math.ceil(applied / readsOfPart));
  const step = Math.ceil((last + 1 - first) / parts);
  return Array.from({ length: parts }, (_, at) => [first + at * step, first + (at + 1) * step]);
}

/** Counts the reads of some objects. */
async function foldRange(
  transaction: Transaction,
  { marks, some }: ReadFacts & { readonly some: boolean },
  range: readonly SqlValue[],
): Promise<Touched> {
  await transaction.run(sumByObject, range);
  await transaction.run(addHeat);
  const { days, severalDays, rowGroups } = await transaction.row<SumFacts>(sumFacts);
  if (marks > 0) await transaction.run(liftMarks);
  const further = severalDays > 0 ? await transaction.run(addSumsOfDays) : 0;
  const known = some ? await transaction.run(addToKnownDays) : 0;
  if (known < days + further) await transaction.run(addNewDays(known > 0));
  // Otherwise the sums of every range would take their memory until the transaction ends.
  await releaseTable(transaction.connection, "access_sums");
  return { read: days + severalDays, rowGroups };
}

/**
 * Whether the log of these updates would take more bytes than the columns into which it is folded
 * later: 16 for each row and column that they name, of which there are three, against about 12 for
 * each row, read or not, of the row groups that they touch.
 */
function isDense({ read, rowGroups }: Touched, objects: number): boolean {
  const rewritten = Math.min(objects, rowGroups * rowGroupRows);
  return read >= manyObjects && read * 4 >= rewritten;
}

/** How many objects were read, and in how many row groups there is one of them. */
interface Touched {
  readonly read: number;
  readonly rowGroups: number;
}

interface ReadFacts extends SqlRow {
  readonly applied: number;
  readonly unknown: number;
  /** The ids that were read, from and to; null when there is none. */
  readonly first: number | null;
  readonly last: number | null;
  /** Objects that a deletion was announced for. */
  readonly marks: number;
  /** All that there are. */
  readonly objects: number;
}

interface SumFacts extends SqlRow {
  /** Objects that were read on one day, and on several. */
  readonly days: number;
  readonly severalDays: number;
  readonly rowGroups: number;
}

/** Brings the landmark to now when the stored weights would grow too large. */
async function moveLandmark(transaction: Transaction, now: Date): Promise<void> {
  const { landmark, halfLifeMs } = await heatSettings(transaction.connection);
  const halfLives = (now.getTime() - landmark.getTime()) / halfLifeMs;
  if (halfLives < halfLivesMax) return;
  await transaction.run(
    "UPDATE objects SET heat_weight = heat_weight * pow(2, $1::DOUBLE) WHERE heat_weight > 0",
    [-halfLives],
  );
  await transaction.run("UPDATE heat_settings SET landmark = make_timestamp($1::BIGINT)", [
    micros(now),
  ]);
}

// Nearly all objects are read on one day of a batch: their sum is that of this day as well. Of the
// others it has no day, and those of their days follow. exp() takes less time than pow(2, …), and the
// smallest day less than the smallest time.
const sumByObject = `
  CREATE OR REPLACE TEMP TABLE access_sums AS
  SELECT object_id, count(*) AS reads, max(read_at) AS accessed,
    sum(weight * exp((epoch_us(read_at) - $1::BIGINT) * $2::DOUBLE)) AS weight,
    CASE WHEN min(read_at::DATE) = max(read_at)::DATE THEN max(read_at)::DATE END AS day
  FROM resolved_accesses
  WHERE object_id >= $3::BIGINT AND object_id < $4::BIGINT AND weight > 0 GROUP BY object_id`;

const readFacts = `
  SELECT count(object_id) AS applied, count(*) - count(object_id) AS unknown,
    min(object_id) AS first, max(object_id) AS last,
    (SELECT count(*) FROM objects WHERE tombstoned IS NOT NULL) AS marks,
    (SELECT count(*) FROM objects) AS objects
  FROM resolved_accesses`;

const sumFacts = `
  SELECT count(day) AS days, count(*) - count(day) AS "severalDays",
    count(DISTINCT object_id // ${rowGroupRows}) AS "rowGroups"
  FROM access_sums`;

const addSumsOfDays = `
  INSERT INTO access_sums BY NAME
  SELECT object_id, read_at::DATE AS day, count(*) AS reads
  FROM resolved_accesses SEMI JOIN (FROM access_sums WHERE day IS NULL) USING (object_id)
  WHERE weight > 0 GROUP BY ALL`;

const addHeat = `
  UPDATE objects SET heat_weight = objects.heat_weight + s.weight,
    reads = objects.reads + s.reads, accessed = greatest(objects.accessed, s.accessed)
  FROM access_sums AS s WHERE objects.object_id = s.object_id`;

// Whoever reads an object after it was marked for deletion lifts the mark: when a rule selects
// it again, it gets a new grace. Apart, as a column that is set is written for all that is read.
const liftMarks = `
  UPDATE objects SET tombstoned = NULL FROM access_sums AS s
  WHERE objects.object_id = s.object_id AND objects.present_mask <> 0
    AND s.accessed >= objects.tombstoned`;

const someDaysAreKnown = `
  SELECT EXISTS (FROM access_days WHERE day
    BETWEEN (SELECT min(read_at)::DATE FROM resolved_accesses)
      AND (SELECT max(read_at)::DATE FROM resolved_accesses)) AS some`;

const addToKnownDays = `
  UPDATE access_days SET reads = access_days.reads + s.reads
  FROM access_sums AS s
  WHERE access_days.object_id = s.object_id AND access_days.day = s.day`;

const addNewDays = (someAreKnown: boolean): string => `
  INSERT INTO access_days
  SELECT s.object_id, s.day, s.reads FROM access_sums AS s
  ${someAreKnown ? "ANTI JOIN access_days AS k ON k.object_id = s.object_id AND k.day = s.day" : ""}
  WHERE s.day IS NOT NULL ORDER BY s.object_id`;
