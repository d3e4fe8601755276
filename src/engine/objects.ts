import type { EngineContext } from "#engine/context.ts";
import type { ObjectDetail, ObjectsRequest, ObjectSummary } from "#model/engine-api.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { type SqlFragment, toStatement, trusted } from "#policies/sql-fragment.ts";

/** Objects that an expression selects (all without one), in order of arrival. */
export async function listObjects(
  context: EngineContext,
  request: ObjectsRequest,
): Promise<readonly ObjectSummary[]> {
  const where = toStatement(await filterOf(context, request.where));
  return context.index.listObjects(where, request.limit, context.now());
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
  context: EngineContext,
  where: string | undefined,
): Promise<SqlFragment> {
  if (where === undefined) return trusted("true");
  const moment = await context.moment(context.now());
  return compileFilter(where, { ...moment, registry: context.registry });
}
