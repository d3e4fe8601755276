import type { ObjectDetail, ObjectSummary } from "#model/engine-api.ts";
import { storageLockWords } from "#model/storage-lock-words.ts";
import { formatSize } from "#model/quantity.ts";
import { textPairs, textTable } from "#cli/output/text-table.ts";
import type { RowForm } from "#cli/output/write-rows.ts";
import { ago, count, counted } from "#cli/output/words.ts";

/** How objects are written; `now` is what "ago" counts from. */
export function objectForm(now: Date): RowForm<ObjectSummary> {
  return {
    key: "objects",
    columns: [
      "objectId",
      "cid",
      "size",
      "path",
      "type",
      "collection",
      "owner",
      "heat",
      "accessed",
      "backends",
      "verified",
      "held",
      "nameCount",
    ] satisfies readonly (keyof ObjectSummary)[],
    cell: (object, column) => object[column as keyof ObjectSummary],
    table: (objects) => formatObjects(objects, now),
  };
}

function formatObjects(objects: readonly ObjectSummary[], now: Date): string {
  return textTable(
    [
      { title: "cid" },
      { title: "size", right: true },
      { title: "heat", right: true },
      { title: "read" },
      { title: "copies" },
      { title: "path" },
    ],
    objects.map((object) => [
      object.cid,
      formatSize(object.size),
      object.heat.toFixed(2),
      ago(object.accessed, now),
      `${object.backends.join(" ")} (${count(object.verified)} verified)${object.held ? " held" : ""}`,
      pathWords(object),
    ]),
  );
}

/** The same content may have been brought in under several names, and stays one object. */
function pathWords({ path = "", nameCount }: ObjectSummary): string {
  return nameCount > 1 ? `${path} (and ${counted(nameCount - 1, "other name")})` : path;
}

/** Everything known of one object. */
export function formatObject(object: ObjectDetail, now: Date): string {
  const facts = textPairs([
    ["object", String(object.objectId)],
    ["cid", object.cid],
    ["size", `${formatSize(object.size)} (${count(object.size)} bytes)`],
    ["names", object.names.join(", ") || "none"],
    ["type", object.type ?? "unknown"],
    ["collection", object.collection ?? "none"],
    ["owner", object.owner ?? "unknown"],
    ["tags", object.tags.join(", ") || "none"],
    ["created", object.created],
    ["ingested", object.ingested],
    ["read", `${count(object.reads)} times, last ${ago(object.accessed, now)}`],
    ["heat", object.heat.toFixed(3)],
    ["held", object.held ? "yes: no copy may be removed" : "no"],
    ["profile", object.profile],
  ]);
  const history = object.history.map(({ at, kind, reason }) => [at, kind, reason]);
  const columns = [{ title: "at" }, { title: "what" }, { title: "why" }];
  const past = history.length === 0 ? "" : `\n${textTable(columns, history)}`;
  return `${facts}\n${formatCopies(object, now)}${past}`;
}

/** The copies of an object as a table. */
export function formatCopies(object: ObjectDetail, now: Date): string {
  if (object.copies.length === 0) return "no copy anywhere\n";
  const locks = object.copies.flatMap(({ backend, lock }) =>
    lock === undefined
      ? []
      : [`on ${backend}: ${storageLockWords(lock)}, as it said ${ago(lock.seenAt, now)}\n`],
  );
  return `${copyTable(object, now)}${locks.join("")}`;
}

function copyTable(object: ObjectDetail, now: Date): string {
  return textTable(
    [
      { title: "backend" },
      { title: "form" },
      { title: "state" },
      { title: "confidence" },
      { title: "checked" },
      { title: "bytes", right: true },
    ],
    object.copies.map((copy) => [
      copy.backend,
      copy.form,
      copy.state,
      copy.confidence,
      ago(copy.checkedAt, now),
      count(copy.bytes),
    ]),
  );
}
