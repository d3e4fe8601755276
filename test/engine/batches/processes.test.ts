import { readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { tableFromIPC } from "apache-arrow";
import { expect, test } from "vitest";
import type { ToldBatch } from "#model/record-batch.ts";
import { openRegistry } from "./message.ts";
import { ended, startProcess } from "./start-process.ts";

const messages = 300;

test("three processes publish at once, and who follows gets every batch, whole", async () => {
  const registry = await openRegistry();
  const reader = registry.follow("0.0");
  const senders = [1, 2, 3].map((from) =>
    startProcess("publish-messages.ts", registry.directory, String(messages), String(from)),
  );
  const seen = new Map<string, number[]>();
  const told = new Set<string>();
  while (told.size < senders.length * messages) {
    const { value } = await reader.next();
    const { cid, tags } = (value as ToldBatch).batch;
    // Told at least once: around the end of a segment a record may come again.
    if (told.has(cid)) continue;
    told.add(cid);
    const [row] = tableFromIPC(await registry.bytes(cid)).toArray() as [Record<string, number>];
    expect(tags).toEqual({ from: String(row["from"]), number: String(row["number"]) });
    const from = tags["from"] ?? "";
    seen.set(from, [...(seen.get(from) ?? []), Number(tags["number"])]);
  }
  reader.end();
  expect(await Promise.all(senders.map(ended))).toEqual([0, 0, 0]);
  const inOrder = Array.from({ length: messages }, (_, number) => number);
  expect(Object.fromEntries(seen)).toEqual({ 1: inOrder, 2: inOrder, 3: inOrder });
  expect(registry.journal.segments().length).toBeGreaterThan(10);
});

test("a publisher that is killed leaves no half batch", async () => {
  const registry = await openRegistry();
  for (let round = 0; round < 6; round += 1) {
    const child = startProcess("publish-endlessly.ts", registry.directory);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value: cid } = (await lines.next()) as { value: string };
    expect(await registry.check(cid)).toMatchObject({ state: "intact" });
    // Somewhere in the middle of the next one: after some bytes of it are there.
    await untilDraft(registry.directory);
    child.kill("SIGKILL");
    await ended(child);
  }
  const batches = await registry.list();
  expect(batches.length).toBeGreaterThan(0);
  for (const { cid, rows } of batches) {
    expect(await registry.check(cid)).toMatchObject({ state: "intact" });
    expect(tableFromIPC(await registry.bytes(cid)).numRows).toBe(rows);
  }
  const files = (await readdir(registry.directory)).filter((name) => name.endsWith(".arrow"));
  for (const name of files) {
    expect(await registry.check(name.replace(".arrow", ""))).toMatchObject({ state: "intact" });
  }
});

async function untilDraft(directory: string): Promise<void> {
  await expect
    .poll(async () => (await readdir(directory)).some((name) => name.startsWith(".draft-")), {
      interval: 2,
      timeout: 20_000,
    })
    .toBe(true);
}
