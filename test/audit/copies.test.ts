import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { onPath } from "../../scripts/services/service.ts";
import { integerBetween } from "../../scripts/seeded-random.ts";
import { cidOf, openIndex } from "../index/open-index.ts";
import { backends, madeAt, objectCount, RandomCopies } from "./random-copies.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { SqlRow } from "#model/sql.ts";

const program = fileURLToPath(new URL("copies.py", import.meta.url));
const python = onPath("python3");

function named(mask: unknown): readonly string[] {
  return backends.filter((_, id) => (Number(mask) & (2 ** id)) !== 0);
}

/** What the index says, and nothing of how it came to it. */
async function said(index: ObjectIndex) {
  await using session = await index.session();
  const rows = async (text: string) => await session.rows({ text, parameters: [] });
  const objects = await rows(
    `SELECT object_id, present_mask, listed_mask, sampled_mask, verified_mask, oldest_verified
     FROM object`,
  );
  const runs = await rows(
    `SELECT run_id, sum(done)::DOUBLE AS done, sum(skipped)::DOUBLE AS skipped,
       sum(failed)::DOUBLE AS failed FROM runs JOIN batches USING (run_key) GROUP BY ALL`,
  );
  const known = await rows("SELECT name, used_bytes AS bytes, copies FROM backends");
  const locked = await rows("SELECT object_id, backend, legal_hold, until, mode FROM lock");
  const cids = new Map(Array.from({ length: objectCount }, (_, at) => [at, cidOf(at)]));
  return {
    objects: Object.fromEntries(
      objects.map((row) => [
        cids.get(Number(row["object_id"])) ?? "",
        {
          present: named(row["present_mask"]),
          listed: named(row["listed_mask"]),
          sampled: named(row["sampled_mask"]),
          verified: named(row["verified_mask"]),
          oldest: row["oldest_verified"],
        },
      ]),
    ),
    locks: locksByCid(locked),
    backends: Object.fromEntries(known.map(({ name, ...figures }) => [String(name), figures])),
    runs: Object.fromEntries(runs.map(({ run_id: run, ...counts }) => [String(run), counts])),
  };
}

/** As the program takes them: what each backend holds fast of an object. */
function locksByCid(rows: readonly SqlRow[]) {
  const byCid: Record<string, Record<string, unknown>> = {};
  for (const { object_id: id, backend, legal_hold: held, until, mode } of rows) {
    const ofObject = (byCid[cidOf(Number(id))] ??= {});
    ofObject[String(backend)] = [held, until ?? null, mode ?? null];
  }
  return byCid;
}

/** The ledger as it was exported, a JSON object an entry. */
async function ledgerLines(index: ObjectIndex): Promise<readonly string[]> {
  await using session = await index.session();
  const text = `
    SELECT entry_id AS entry, recorded, kind, outcome, run, object_id, backend,
      CASE WHEN kind = 'outcome' AND verb = 'replicate' THEN size END AS bytes
    FROM audit LEFT JOIN object USING (object_id) ORDER BY entry_id`;
  return (await session.rows({ text, parameters: [] })).map(({ object_id: id, ...entry }) =>
    JSON.stringify({
      ...entry,
      place: madeAt(String(entry["backend"])),
      cid: id === null ? null : cidOf(Number(id)),
    }),
  );
}

test.skipIf(python === undefined).for([1, 2])(
  "a program of its own recomputes copies, masks and outcomes after random work %i",
  { timeout: 180_000 },
  async (seed) => {
    const { index, folder } = await openIndex(backends);
    const work = new RandomCopies(index, folder, seed);
    await work.begin();
    for (let step = 0; step < 30; step += 1) await work.step();
    expect(work.done).toMatchObject({
      replicate: expect.toSatisfy((count: number) => count > 0) as number,
      evict: expect.toSatisfy((count: number) => count > 0) as number,
    });
    const [events, ledger] = [join(folder, "events.ndjson"), join(folder, "ledger.ndjson")];
    await writeFile(events, `${work.events.map((event) => JSON.stringify(event)).join("\n")}\n`);
    await writeFile(ledger, `${(await ledgerLines(index)).join("\n")}\n`);
    const answer = await said(index);
    const compare = (input: unknown) => {
      const args = [program, "--events", events, "--ledger", ledger, "--backends", ...backends];
      const text = JSON.stringify(input);
      const { stdout, stderr, status } = spawnSync(python ?? "", args, {
        input: text,
        encoding: "utf8",
      });
      return { status, stderr, ...(JSON.parse(stdout || "{}") as object) };
    };
    expect(compare(answer)).toMatchObject({
      status: 0,
      stderr: "",
      objects: objectCount,
      differences: 0,
    });
    // It is able to find one.
    const object = cidOf(integerBetween(() => 0.5, 0, objectCount - 1));
    const wrong = { ...answer.objects[object], verified: ["nowhere"] };
    const changed = {
      ...answer,
      objects: { ...answer.objects, [object]: wrong },
      backends: { ...answer.backends, a: { bytes: 1, copies: 1 } },
    };
    expect(compare(changed)).toMatchObject({ status: 1, differences: 2 });
    const [locked = ""] = Object.keys(answer.locks);
    const unlocked = { ...answer, locks: { ...answer.locks, [locked]: {} } };
    expect(compare(unlocked)).toMatchObject({ status: 1 });
  },
);
