import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadConfig } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import type { Engine } from "#engine.ts";
import { beginTerm } from "#engine/begin-term.ts";
import { writeTerm } from "#engine/index-witness.ts";
import { HeldLease } from "#jobs/lease/held-lease.ts";
import type { LeaseHolder } from "#jobs/lease/lease-store.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import { loadDrivers } from "#registry.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { openIndex } from "../index/open-index.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();
const minute = 60_000;
const points = ["leased", "announced", "written", "noted"] as const;
const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: cold}
rules:
  - {name: down, where: size > 0, demote: {from: tier = hot, to: tier = cold}}
`;

describe("an index that is put back after another one led", () => {
  test("issues no permit before all of the other's have run out; a restart waits for nothing", async () => {
    await using running = await runEngine({ queueUrl: server.url, policy });
    const { engine, folder } = running;
    const config = await loadConfig({
      cwd: folder,
      env: {},
      hostname: "test-node",
      drivers: await loadDrivers(),
    });
    const { index } = dataPaths(config.dataDirectory);
    const kept = join(folder, "moved-away.duckdb");
    expect(await removalsFrom(engine)).toBeUndefined();
    await engine.close();
    await copyFile(index, kept);

    expect(await removalsFrom(await running.reopen(), true)).toBeUndefined();
    await rm(`${index}.wal`, { force: true });
    await copyFile(kept, index);
    const began = Date.now();
    const held = await removalsFrom(await running.reopen(), true);
    // Permits of ten minutes, a call, and what clocks may differ.
    expect(Date.parse(held ?? "")).toBeGreaterThan(began + 11 * minute);
    // The next controller neither forgets it nor begins to wait anew.
    const again = await removalsFrom(await running.reopen(), true);
    expect(Math.abs(Date.parse(again ?? "") - Date.parse(held ?? ""))).toBeLessThan(minute);
  });
});

describe("a controller that is killed while it begins", () => {
  test("is followed by one that issues permits at once, wherever it was", async () => {
    const { index, folder } = await openIndex();
    const store = await openQueueStore({ url: server.url, namespace: `put_back_${process.pid}` });
    onTestFinished(async () => {
      await store.close();
    });
    const leases = store.lease();
    const config = {
      queue: { url: server.url },
      safety: { permitTtlMs: 10 * minute, clockSkewMs: 1_000 },
      dataDirectory: folder,
    } as Parameters<typeof beginTerm>[1]["config"];
    let lives = 0;
    /** Begins as after a release, and is gone as soon as it comes to that point. */
    const live = async (until: (typeof points)[number]) => {
      lives += 1;
      const holder: LeaseHolder = { id: `${lives}`, node: "n", pid: lives, index: "this one" };
      const before = await leases.read();
      const lease = await HeldLease.take({ store: leases, holder }, { takeFrom: before.epoch });
      if (lease === undefined) throw new Error("somebody else has the lease");
      const options = { config, holder, snapshots: undefined, reopen: undefined };
      const { term } = await beginTerm(
        { lease, index, before },
        { ...options, now: () => new Date(), onError: () => undefined },
      );
      const die = (at: typeof until) => {
        if (at === until) throw new Error("killed");
      };
      if (until === "leased") {
        await lease.release();
        return term.complete;
      }
      const writing = writeTerm(term, {
        terms: {
          begin: async (noted) => {
            die("announced");
            await index.terms.begin(noted);
          },
          mark: () => index.terms.mark(),
        },
        lease: {
          lastMark: () => lease.lastMark(),
          lost: lease.lost,
          noteSoon: () => undefined,
          note: async (mark) => {
            if (mark.term === term.mark) die("written");
            await lease.note(mark);
          },
        },
        directory: holder.index,
      });
      const end = await writing.then(
        () => "noted",
        (error: Error) => error.message,
      );
      expect(end).toBe(until === "noted" ? "noted" : "killed");
      await lease.release();
      return term.complete;
    };
    const complete: boolean[] = [];
    // Each pair of points, first where nothing was noted, then behind terms that were.
    const unnoted = points.filter((point) => point !== "noted");
    for (const pair of [unnoted, points].flatMap((some) => pairsOf(some))) {
      for (const point of pair) complete.push(await live(point));
      await index.setCordon("hot", lives % 4 === 0);
    }
    expect(complete).toEqual(complete.map(() => true));
  });
});

function pairsOf<T>(some: readonly T[]): readonly (readonly T[])[] {
  return some.flatMap((first) => some.map((second) => [first, second]));
}

/** Until when removals wait with an engine that begins to lead. */
async function removalsFrom(engine: Engine, close = false): Promise<string | undefined> {
  try {
    await engine.start();
    return (await engine.status()).leader?.removalsFrom;
  } finally {
    if (close) await engine.close();
  }
}
