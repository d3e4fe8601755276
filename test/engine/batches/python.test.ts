import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { expect, onTestFinished, test } from "vitest";
import { pyarrow } from "../../../scripts/services/pyarrow.ts";
import { onPath } from "../../../scripts/services/service.ts";
import { openIndex, temporaryFolder } from "../../index/open-index.ts";
import { message, openRegistry } from "./message.ts";

const folder = fileURLToPath(new URL("../../../examples/batches/", import.meta.url));
const plain = onPath("python3");
const found = pyarrow.find();
const missing = found.available ? "" : ` (skipped: ${found.reason})`;
const arrow = found.available ? found.path : "";

function run(python: string, program: string, ...args: readonly string[]) {
  const result = spawnSync(python, [join(folder, program), ...args], { encoding: "utf8" });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

async function published() {
  const { index } = await openIndex();
  const registry = await openRegistry();
  await using session = await index.session();
  const text = `SELECT range AS n, CASE WHEN range % 3 > 0 THEN 'row ' || range END AS t,
    unhex(sha256(range::VARCHAR)) AS b, make_timestamp(range * 1000003) AS w, range % 2 = 0 AS e,
    sum(range) OVER () AS s, (range / 7)::DECIMAL(9, 3) AS d, '2026-01-01'::DATE + range::INTEGER AS y
    FROM range(300000) ORDER BY range`;
  return { registry, batch: await registry.publish(session.userArrow(text, "file")) };
}

test.skipIf(plain === undefined)(
  "Python alone verifies a batch by hashing it again, and finds a changed byte",
  async () => {
    const { registry, batch } = await published();
    const small = registry.publishBytes(message(1));
    for (const { cid, bytes } of [batch, small]) {
      const { code, stdout } = run(
        plain ?? "",
        "read_batch.py",
        registry.directory,
        cid,
        "--verify-only",
      );
      expect({ code, ...(JSON.parse(stdout) as object) }).toEqual({ code: 0, cid, bytes });
    }
    const changed = await readFile(registry.path(batch.cid));
    changed[5_000_000] = (changed[5_000_000] ?? 0) ^ 1;
    const other = await temporaryFolder();
    await writeFile(join(other, `${batch.cid}.arrow`), changed);
    const damaged = run(plain ?? "", "read_batch.py", other, batch.cid, "--verify-only");
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toContain("is damaged");
  },
);

test.skipIf(!found.available)(
  `Arrow for C++ and Python finds a batch valid and reads it without copying${missing}`,
  async () => {
    const { registry, batch } = await published();
    const { code, stdout, stderr } = run(arrow, "read_batch.py", registry.directory, batch.cid);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      cid: batch.cid,
      bytes: batch.bytes,
      rows: 300_000,
      copiedBytes: 0,
      columns: [
        { name: "n", type: "int64" },
        { name: "t", type: "string" },
        { name: "b", type: "binary" },
        { name: "w", type: "timestamp[us]" },
        { name: "e", type: "bool" },
        { name: "s", type: "decimal128(38, 0)" },
        { name: "d", type: "decimal128(9, 3)" },
        { name: "y", type: "date32[day]" },
      ],
      first: expect.objectContaining({
        n: "0",
        t: "None",
        w: "1970-01-01 00:00:00",
        e: "True",
        s: "44999850000",
        d: "0.000",
        y: "2026-01-01",
      }) as object,
    });
  },
);

test.skipIf(plain === undefined)(
  "Python follows what this process publishes, and goes on after a cursor",
  async () => {
    const registry = await openRegistry({ segmentBytes: 600 });
    const first = [1, 2, 3, 4, 5].map((number) => registry.publishBytes(message(number)).cid);
    const child = spawn(plain ?? "", [
      join(folder, "follow_batches.py"),
      registry.directory,
      "--count",
      "8",
    ]);
    onTestFinished(() => void child.kill());
    const cids: string[] = [];
    const cursors: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as { cursor: string; batch: { cid: string } };
      cids.push(told.batch.cid);
      cursors.push(told.cursor);
      // It waits for more by now.
      if (cids.length === 5) {
        first.push(...[6, 7, 8].map((number) => registry.publishBytes(message(number)).cid));
      }
    }
    if (child.exitCode === null) await once(child, "exit");
    expect(cids).toEqual(first);
    const reader = registry.follow(cursors[2]);
    expect((await reader.next()).value?.batch.cid).toBe(first[3]);
    reader.end();
    const rest = run(
      plain ?? "",
      "follow_batches.py",
      registry.directory,
      "--after",
      cursors[5] ?? "",
      "--count",
      "2",
    );
    expect(rest.stdout).toContain(first[6]);
    expect(rest.stdout).toContain(first[7]);
  },
);

test.skipIf(!found.available)(
  `what Python publishes is told of here, and has the CID that we would give it${missing}`,
  async () => {
    const registry = await openRegistry();
    registry.publishBytes(message(1));
    const file = join(await temporaryFolder(), "made.arrow");
    const words = Array.from({ length: 90_000 }, (_, number) => `word ${number}`);
    await writeFile(file, tableToIPC(tableFromArrays({ words }), "file"));
    const reader = registry.follow();
    const waiting = reader.next();
    const { code, stdout } = run(
      arrow,
      "follow_batches.py",
      registry.directory,
      "--publish",
      file,
      "--tag",
      "by=python",
    );
    expect(code).toBe(0);
    const batch = (await waiting).value?.batch;
    reader.end();
    expect(batch).toEqual(JSON.parse(stdout));
    expect(batch).toMatchObject({ rows: 90_000, tags: { by: "python" } });
    expect(await registry.check(batch?.cid ?? "")).toMatchObject({ state: "intact" });
    expect((await registry.publishFile(file)).cid).toBe(batch?.cid);
  },
);
