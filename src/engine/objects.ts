import { extname } from "node:path";
import { cidColumn } from "#engine/cid-column.ts";
import type { EngineContext } from "#engine/context.ts";
import { writeRowCar, writeRowFile } from "#engine/write-row-file.ts";
import type { Backend } from "#model/backend.ts";
import type {
  ObjectDetail,
  ObjectsExportRequest,
  ObjectsRequest,
  ObjectSummary,
} from "#model/engine-api.ts";
import type { HeatSettings } from "#model/index-store.ts";
import type { RowFile } from "#model/row-file.ts";
import type { ReadSession } from "#model/sql.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { compileOrder } from "#policies/compile-order.ts";
import {
  joinFragments,
  sql,
  type SqlFragment,
  toStatement,
  trusted,
} from "#policies/sql-fragment.ts";

/** What asking for objects needs of the engine. */
export type ObjectSource = Pick<EngineContext, "index" | "moment" | "now" | "registry">;

/** Objects that an expression selects (all without one), in pieces, on one reading. */
export async function* listObjects(
  source: ObjectSource,
  request: ObjectsRequest,
): AsyncGenerator<readonly ObjectSummary[]> {
  const condition = await filterOf(source, request.where);
  const order = await orderOf(source, request.sort);
  await using session = await source.index.session();
  const now = source.now();
  if (request.sort !== undefined || asksOthers(condition)) {
    const statement = selection({ condition, order, limit: request.limit }, listColumns);
    yield* session.objects(toStatement(statement), now);
    return;
  }
  let left = request.limit;
  for await (const among of idRanges(session)) {
    if (left === 0) return;
    const chosen = { condition: sql`(${condition}) AND ${among}`, order, limit: left };
    const statement = toStatement(selection(chosen, listColumns));
    for await (const piece of session.objects(statement, now)) {
      if (left !== undefined) left -= piece.length;
      yield piece;
    }
  }
}

/** Objects are read by ranges of ids: few at first, so that there is something to see, then more. */
const idsFirst = 10_000;
const idsMost = 2_000_000;

/** Of the order of arrival: sorting all objects with their names would take more disk than the index. */
async function* idRanges(session: ReadSession): AsyncGenerator<SqlFragment> {
  const [row] = await session.rows(toStatement(sql`SELECT max(object_id) AS last FROM object`));
  const last = Number(row?.["last"] ?? -1);
  for (let from = 0, ids = idsFirst; from <= last; ids = Math.min(4 * ids, idsMost)) {
    yield sql`o.object_id BETWEEN ${from}::BIGINT AND ${from + ids - 1}::BIGINT`;
    from += ids;
  }
}

/** Whether a condition on an object looks at others as well, which is to be done once. */
function asksOthers(condition: SqlFragment): boolean {
  return /\bselect\b/iu.test(toStatement(condition).text);
}

const listColumns = trusted(
  `o.object_id, o.cid, o.size, o.path, o.names, o.type, o.collection, o.owner, o.accessed,
   o.heat_weight, o.present_mask, o.verified_mask, o.held`,
);

/** Writes objects to a file, with more columns than the list has. */
export async function exportObjects(
  source: ObjectSource,
  { file, per = "object", where, sort, limit }: ObjectsExportRequest,
): Promise<RowFile> {
  const chosen = {
    condition: await filterOf(source, where),
    order: await orderOf(source, sort),
    limit,
  };
  await using session = await source.index.session();
  const { heat } = await source.moment(source.now());
  const rows =
    per === "copy"
      ? copiesOf(selection(chosen, copyKeys))
      : selection(chosen, fileColumns(await session.holders(), heat, source.now()));
  const write = extname(file) === ".car" ? writeRowCar : writeRowFile;
  return await write(session, toStatement(rows), file);
}

const copyKeys = sql`o.object_id, ${cidColumn("o.cid")} AS cid, o.size, o.path`;

/** Copies of the objects that a selection gives, in order of arrival. */
function copiesOf(selected: SqlFragment): SqlFragment {
  return sql`SELECT o.object_id, o.cid, o.size, o.path, c.backend, c.form, c.locator, c.state,
      c.bytes, c.confidence, c.checked_at, c.verified_at, c.expires_at
    FROM (${selected}) AS o JOIN copy AS c USING (object_id)
    ORDER BY o.object_id, c.backend_id`;
}

/** Everything that is known of one object, named by CID, path or number. */
export async function showObject(
  { index, now }: EngineContext,
  reference: string,
): Promise<ObjectDetail> {
  return index.objectDetail(await index.findObject(reference), now());
}

/** A condition over the view `object o` for what a person typed; true without one. */
export async function filterOf(
  source: ObjectSource,
  where: string | undefined,
): Promise<SqlFragment> {
  if (where === undefined) return trusted("true");
  const moment = await source.moment(source.now());
  return compileFilter(where, { ...moment, registry: source.registry });
}

/** Equal keys stand in order of arrival: the same question has the same answer. */
async function orderOf(source: ObjectSource, sort: string | undefined): Promise<SqlFragment> {
  if (sort === undefined) return trusted("o.object_id");
  const moment = { ...(await source.moment(source.now())), registry: source.registry };
  return sql`${compileOrder(sort, moment)}, o.object_id`;
}

interface Selection {
  readonly condition: SqlFragment;
  readonly order: SqlFragment;
  readonly limit: number | undefined;
}

function selection({ condition, order, limit }: Selection, columns: SqlFragment): SqlFragment {
  const all = sql`SELECT ${columns} FROM object AS o WHERE (${condition}) ORDER BY ${order}`;
  return limit === undefined ? all : sql`${all} LIMIT ${limit}`;
}

function fileColumns(holders: readonly Backend[], heat: HeatSettings, now: Date): SqlFragment {
  const factor = 2 ** ((heat.landmark.getTime() - now.getTime()) / heat.halfLifeMs);
  const names = holders.map(
    ({ id, name }) =>
      sql`CASE WHEN o.present_mask & ${1n << BigInt(id)}::BIGINT <> 0 THEN ${name}::VARCHAR END`,
  );
  return sql`o.object_id, ${cidColumn("o.cid")} AS cid, o.size, o.path, o.type, o.collection,
    o.owner, CASE WHEN o.guessed IS DISTINCT FROM 'created' THEN o.created END AS created, o.modified, o.ingested, o.accessed, o.reads,
    o.heat_weight * ${factor}::DOUBLE AS heat,
    concat_ws(' ', ${joinFragments([...names, trusted("NULL")], ", ")}) AS backends,
    bit_count(o.verified_mask)::BIGINT AS verified, o.held`;
}
