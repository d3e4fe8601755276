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
  const statement = toStatement(await selection(source, request, listColumns));
  await using session = await source.index.session();
  yield* session.objects(statement, source.now());
}

const listColumns = trusted(
  `o.object_id, o.cid, o.size, o.path, o.names, o.type, o.collection, o.owner, o.accessed,
   o.heat_weight, o.present_mask, o.verified_mask, o.held`,
);

/** Writes objects to a file, with more columns than the list has. */
export async function exportObjects(
  source: ObjectSource,
  { file, per = "object", ...request }: ObjectsExportRequest,
): Promise<RowFile> {
  await using session = await source.index.session();
  const { heat } = await source.moment(source.now());
  const chosen =
    per === "copy"
      ? copiesOf(await selection(source, request, copyKeys))
      : await selection(source, request, fileColumns(await session.holders(), heat, source.now()));
  const write = extname(file) === ".car" ? writeRowCar : writeRowFile;
  return await write(session, toStatement(chosen), file);
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

async function selection(
  source: ObjectSource,
  { where, sort, limit }: ObjectsRequest,
  columns: SqlFragment,
): Promise<SqlFragment> {
  const condition = await filterOf(source, where);
  const moment = { ...(await source.moment(source.now())), registry: source.registry };
  // Equal keys stand in order of arrival: the same question has the same answer.
  const order = sort === undefined ? trusted("") : sql`${compileOrder(sort, moment)}, `;
  const all = sql`SELECT ${columns} FROM object AS o WHERE (${condition})
    ORDER BY ${order}o.object_id`;
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
