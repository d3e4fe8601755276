import { CID } from "multiformats/cid";
import type { Planning } from "#policies/plan/planning.ts";
import { trusted } from "#policies/sql-fragment.ts";

/** What people call these objects: a path, or else the CID. */
export async function nameObjects(
  planning: Planning,
  objects: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await planning.rows(
    trusted(`SELECT object_id, path, cid FROM object
    WHERE object_id IN (SELECT unnest([${objects.map(Number).join()}]::BIGINT[]))`),
  );
  return new Map(
    rows.map(({ object_id: id, path, cid }) => [
      Number(id),
      typeof path === "string" ? path : CID.decode(cid as Uint8Array).toString(),
    ]),
  );
}
