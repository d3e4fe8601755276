import { expect } from "vitest";
import { confidences, forms } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Driver, DriverOperation } from "#model/driver.ts";
import { isSameStorage } from "#model/same-storage.ts";
import { type KitTest, kitBackend } from "./kit-test.ts";
import type { DriverSubject } from "../driver-subject.ts";
import { bodyFor, fileFrom, permit, type Sample, sample, strongest } from "../sample-object.ts";

/** The declaration is the contract with the planner: it is tested, not believed. */
export function declarationTests(subject: DriverSubject): readonly KitTest[] {
  const { capabilities } = subject.definition;
  return [
    {
      name: "says which server answered, and that it can be written",
      run: async ({ driver, tellServer }) => {
        const status = await driver.status();
        expect(status.server).not.toBe("");
        tellServer((await subject.server?.()) ?? status.server);
        expect(status.writable).toBe(capabilities.operations.includes("write"));
      },
    },
    {
      name: "declares the capabilities of its definition and a kind equal to its name",
      run: async ({ driver }) => {
        expect(driver.capabilities).toEqual(capabilities);
        expect(driver.kind).toBe(subject.definition.name);
        expect(capabilities.forms.length).toBeGreaterThan(0);
      },
    },
    {
      name: "says which storage it is, and the same when it is opened again",
      run: async ({ driver, open }) => {
        const { identity } = driver;
        const again = (await open()).identity;
        expect(identity?.kind).toBeTruthy();
        expect(again?.kind).toBe(identity?.kind);
        const [names, others] = [await identity?.names(), await again?.names()];
        expect(names?.length).toBeGreaterThan(0);
        expect(names !== undefined && others !== undefined && isSameStorage(names, others)).toBe(
          true,
        );
      },
    },
    ...(["read", "write", "remove", "list", "verify"] as const).map((operation): KitTest => ({
      name: `${operation} works when declared, and else throws NOT_SUPPORTED`,
      run: async ({ driver }) => {
        const outcome = attempts[operation](driver, sample(10)).then(
          () => "works",
          (error: unknown) => EngineError.from(error).code,
        );
        const declared = capabilities.operations.includes(operation);
        expect(await outcome).toBe(declared ? "works" : "NOT_SUPPORTED");
      },
    })),
    {
      name: "reads lists of its service exactly when it declares which",
      run: ({ driver }) => {
        const isDeclared = capabilities.inventoryFiles !== undefined;
        expect(driver.inventoryFiles !== undefined).toBe(isDeclared);
        return Promise.resolve();
      },
    },
    {
      name: "clears unfinished writes exactly when it declares that there may be some",
      run: async ({ driver }) => {
        const isDeclared = capabilities.unfinishedWrites === true;
        expect(driver.clearUnfinished !== undefined).toBe(isDeclared);
        const cleared = await driver.clearUnfinished?.();
        expect(cleared?.found ?? 0).toBe(0);
      },
    },
    {
      name: "collects garbage exactly when it declares that there is some, and never a copy",
      run: async ({ driver }) => {
        expect(driver.collectGarbage !== undefined).toBe(capabilities.garbage === true);
        if (driver.collectGarbage === undefined) return;
        const [kept, gone] = [sample(3_000, 1), sample(3_000, 2)];
        for (const stored of [kept, gone]) {
          await driver.write(stored.object, bodyFor(driver, stored));
        }
        await driver.remove(gone.object, permit(gone.object, kitBackend));
        const looked = await Array.fromAsync(driver.collectGarbage({ dryRun: true }));
        expect(looked.at(-1)).toMatchObject({ blocks: 0, usedBytes: undefined });
        expect(looked.at(-1)?.blocksBefore).toBeGreaterThanOrEqual(2);
        const last = (await Array.fromAsync(driver.collectGarbage())).at(-1);
        expect(last?.blocks).toBeGreaterThanOrEqual(1);
        expect(last?.usedBytes).toBeLessThan(last?.usedBytesBefore ?? 0);
        expect(await driver.verify(kept.object, strongest(driver))).toMatchObject({
          finding: "present",
        });
      },
    },
    {
      name: "makes copies readable exactly when it declares archives",
      run: async ({ driver }) => {
        expect(driver.thaw !== undefined).toBe(capabilities.thaw === true);
        const stored = sample(10);
        const copy = await driver.write(stored.object, bodyFor(driver, stored));
        const thawed = await driver.thaw?.(stored.object, copy);
        expect(thawed?.readable ?? true).toBe(true);
      },
    },
    {
      name: "tells locks of its storage exactly when it declares them",
      run: async ({ driver }) => {
        expect(driver.lockOf !== undefined).toBe(capabilities.locks === true);
        const stored = sample(10);
        await driver.write(stored.object, bodyFor(driver, stored));
        // Nothing locks it: storage that cannot tell says nothing.
        expect((await driver.lockOf?.(stored.object)) ?? null).toBeNull();
      },
    },
    {
      name: "verifies at each declared level and refuses the others",
      run: async ({ driver }) => {
        const stored = sample(100);
        await driver.write(stored.object, bodyFor(driver, stored));
        for (const level of confidences) {
          const evidence = driver.verify(stored.object, level);
          if (capabilities.confidence.includes(level)) {
            const wanted = { finding: "present", confidence: level, cid: stored.object.cid };
            expect(await evidence).toMatchObject({ ...wanted, backend: kitBackend });
          } else await expect(evidence).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
        }
      },
    },
    {
      name: "refuses to store a form it does not declare",
      run: async ({ driver }) => {
        const stored = sample(10);
        for (const form of forms.filter((name) => !capabilities.forms.includes(name))) {
          const writing = driver.write(stored.object, { ...bodyFor(driver, stored), form });
          await expect(writing).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
        }
        expect(await driver.stat(stored.object)).toBeUndefined();
      },
    },
  ];
}

const attempts: Record<DriverOperation, (driver: Driver, stored: Sample) => Promise<unknown>> = {
  read: async (driver, stored) => {
    const copy = await driver.write(stored.object, bodyFor(driver, stored));
    return fileFrom(driver, stored, copy);
  },
  write: (driver, stored) => driver.write(stored.object, bodyFor(driver, stored)),
  remove: (driver, stored) => driver.remove(stored.object, permit(stored.object, kitBackend)),
  list: (driver) => Array.fromAsync(driver.list()),
  verify: (driver, stored) => driver.verify(stored.object, "listed"),
};
