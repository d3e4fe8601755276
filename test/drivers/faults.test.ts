import { readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { EngineError } from "#model/engine-error.ts";
import { transfer, type TransferSource, type Transferred } from "#jobs/transfer.ts";
import { sample } from "../conformance/sample-object.ts";
import { LocalStores } from "../jobs/local-stores.ts";
import { type FaultPlace, faultPlaces, startOn } from "./faults/fault-places.ts";
import {
  contentBytes,
  type Fault,
  faults,
  faultTable,
  fullDisk,
  retryAfterMs,
  wrongCredentials,
} from "./faults/fault-table.ts";
import { mountSmallDisk, smallDiskMissing } from "./small-disk.ts";

const againWithinMs = 90_000;
const partBytes = 5 * 1024 * 1024;
/** Of a full disk, where it answers. */
const clusterMaySay = ["NO_SPACE", "UNAVAILABLE"];
/** What requests carry besides content, at most. */
const requestsBytes = 64 * 1024;

it("stands in the documentation as it is tested", async () => {
  const page = await readFile(new URL("../../docs/drivers.md", import.meta.url), "utf8");
  expect(page).toContain(faultTable());
});

describe.each(faultPlaces)("faults of $driver", ({ driver, missing: missingFor, open }) => {
  const missing = missingFor();
  if (missing !== undefined) console.error(`skipped: faults of ${driver}: ${missing}`);

  describe.skipIf(missing !== undefined)("on the way", () => {
    let place: FaultPlace;
    let stores: LocalStores;
    beforeAll(async () => {
      [place, stores] = [await open(), await LocalStores.open()];
    });
    afterAll(async () => {
      await place[Symbol.asyncDispose]();
      await stores[Symbol.asyncDispose]();
    });
    afterEach(() => {
      place.proxy.heal();
    });

    it.each(faults.map((fault, at) => ({ ...fault, seed: at + 1 })))(
      "$name while content is $direction: no copy, the right error, and then it passes",
      async (fault) => {
        const { copying, isThere } = await prepare(place, stores, fault);
        fault.arm(place);
        const failure = await copying().then(
          () => undefined,
          (thrown: unknown) => EngineError.from(thrown),
        );
        expect(place.proxy.struck).toBeGreaterThan(0);
        place.proxy.heal();
        if (fault.name === "server killed") await place.startAgain();
        const { retryable } = fault;
        // What would go on may be told as out, too, where the server hangs up before it is heard.
        const goesOn = fault.outcome[driver] === "goes on" && failure === undefined;
        const outcome =
          fault.outcome[driver] === "goes on" && !goesOn ? "UNAVAILABLE" : fault.outcome[driver];
        const code = outcome === "goes on" ? undefined : outcome;
        expect([failure?.code, failure?.message]).toEqual([code, failure?.message]);
        expect(failure?.retryable ?? retryable).toBe(retryable);
        expect(failure?.retryAfterMs).toBe(code === "RATE_LIMITED" ? retryAfterMs : undefined);
        expect(await isThere()).toBe(outcome === "goes on");

        const before = place.proxy.sentBytes;
        const { copy, evidence } = await untilDone(copying);
        expect(evidence).toMatchObject({ finding: "present" });
        expect(copy.bytes).toBeGreaterThanOrEqual(contentBytes);
        const isKept =
          driver === "s3" && fault.direction === "sent" && /killed|cut$/.test(fault.name);
        const sentMax = isKept ? contentBytes - partBytes + requestsBytes : Infinity;
        expect(place.proxy.sentBytes - before).toBeLessThan(sentMax);
      },
      600_000,
    );

    it("says that wrong credentials are wrong, not to be tried again", async () => {
      const { object, copy } = await stores.put("near", sample(1_000, 99).bytes);
      const source = { backend: "near", driver: await stores.driver("near"), copy };
      const copying = transfer(object, source, { backend: "far", driver: place.stranger });
      const refused = { code: wrongCredentials[driver], retryable: false };
      await expect(copying).rejects.toMatchObject(refused);
      expect(await place.direct.stat(object)).toBeUndefined();
    });
  });

  const noDisk = smallDiskMissing();
  it.skipIf((missing ?? noDisk) !== undefined)(
    "says so when the disk of the server is full, holds no copy, and takes it with room",
    async () => {
      await using disk = await mountSmallDisk("1g");
      await using stores = await LocalStores.open();
      startOn(disk);
      await using place = await open().finally(() => vi.unstubAllEnvs());
      const { object, copy } = await stores.put("near", sample(contentBytes, 98).bytes);
      const source = { backend: "near", driver: await stores.driver("near"), copy };
      const copying = () => transfer(object, source, { backend: "far", driver: place.direct });
      const filler = join(disk.path, "filler");
      const { bavail, bsize } = await statfs(disk.path);
      await writeFile(filler, Buffer.alloc(bavail * bsize - contentBytes / 2));
      // A cluster mostly says nothing; what it does say depends on what had no room first.
      const codes = [fullDisk[driver], ...(driver === "ipfs-cluster" ? clusterMaySay : [])];
      await expect(copying()).rejects.toMatchObject({ code: expect.toBeOneOf(codes) });
      expect(await place.direct.stat(object)).toBeUndefined();
      await rm(filler);
      expect((await untilDone(copying)).evidence).toMatchObject({ finding: "present" });
    },
    600_000,
  );
});

interface Prepared {
  readonly copying: () => Promise<Transferred>;
  /** Whether the target holds a copy, asked without the proxy. */
  readonly isThere: () => Promise<boolean>;
}

async function prepare(
  place: FaultPlace,
  stores: LocalStores,
  { direction, seed }: Fault & { readonly seed: number },
): Promise<Prepared> {
  const { object, copy } = await stores.put("near", sample(contentBytes, seed).bytes);
  const near = { backend: "near", driver: await stores.driver("near"), copy };
  const far = { backend: "far", driver: place.spoilt };
  if (direction === "sent") {
    return {
      copying: () => transfer(object, near, far),
      isThere: async () => (await place.direct.stat(object)) !== undefined,
    };
  }
  const there = await transfer(object, near, { backend: "far", driver: place.direct });
  const source: TransferSource = { ...far, copy: there.copy };
  const store = `read-${seed}`;
  const target = { backend: store, driver: await stores.driver(store) };
  return {
    copying: () => transfer(object, source, target),
    isThere: async () => (await target.driver.stat(object)) !== undefined,
  };
}

/** As a queue would: what may pass is tried again. */
async function untilDone(copying: () => Promise<Transferred>): Promise<Transferred> {
  const deadline = performance.now() + againWithinMs;
  for (;;) {
    try {
      return await copying();
    } catch (thrown) {
      const error = EngineError.from(thrown);
      const mayPass = error.retryable || error.code === "NO_SPACE" || "wait" in error.details;
      if (!mayPass || performance.now() > deadline) throw error;
      await sleep(500);
    }
  }
}
