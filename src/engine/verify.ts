import { cidFromBytes } from "#content/cid.ts";
import type { EngineContext } from "#engine/context.ts";
import { filterOf } from "#engine/objects.ts";
import { type CopyToVerify, verifyCopies } from "#jobs/verify-copies.ts";
import type { VerifyProgress, VerifyRequest } from "#model/engine-api.ts";
import { sql, toStatement, trusted } from "#policies/sql-fragment.ts";
import { unknownBackend } from "#model/unknown-backend.ts";

/** Has backends re-hash the copies that a request selects, and records what was found. */
export async function* verifyObjects(
  context: EngineContext,
  request: VerifyRequest,
): AsyncGenerator<VerifyProgress> {
  const { index, pool } = context;
  if (request.backend !== undefined && !pool.names.includes(request.backend)) {
    throw unknownBackend(request.backend, pool.names);
  }
  const objects = await filterOf(context, request.where);
  const backend =
    request.backend === undefined ? trusted("true") : sql`c.backend = ${request.backend}`;
  const selection = sql`FROM copy c JOIN object o USING (object_id)
    WHERE c.state <> 'lost' AND ${backend} AND ${objects}`;
  await using session = await index.session();
  const [count] = await session.rows(
    toStatement(sql`SELECT count(*) AS total,
    coalesce(sum(o.size), 0)::BIGINT AS bytes ${selection}`),
  );
  const total = Number(count?.["total"]);
  if (request.dryRun === true) {
    const nothing = { copies: 0, verified: 0, absent: 0, corrupt: 0, elapsedMs: 0 };
    yield { type: "summary", total, bytes: Number(count?.["bytes"]), ...nothing };
    return;
  }
  const rows = session.columns(
    toStatement(sql`SELECT o.cid, o.size, o.profile, c.backend, o.path ${selection}
      ORDER BY c.verified_at NULLS FIRST, o.object_id, c.backend_id`),
  );
  const { drivers } = await pool.openAll();
  yield* verifyCopies(copiesOf(rows), drivers, index, {
    total,
    now: () => context.now(),
  });
}

async function* copiesOf(
  batches: AsyncIterable<{ rows: number; columns: readonly ArrayLike<unknown>[] }>,
): AsyncGenerator<CopyToVerify> {
  for await (const { rows, columns } of batches) {
    const [cid, size, profile, backend, path] = columns;
    for (let row = 0; row < rows; row += 1) {
      yield {
        object: {
          cid: cidFromBytes(cid?.[row] as Uint8Array),
          size: Number(size?.[row]),
          profile: String(profile?.[row]),
        },
        backend: String(backend?.[row]),
        path: (path?.[row] as string | null) ?? undefined,
      };
    }
  }
}
