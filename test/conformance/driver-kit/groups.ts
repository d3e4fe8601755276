import { expect } from "vitest";
import { fileToCar } from "#content/file-to-car.ts";
import { groupObjectsMax, type Driver } from "#model/driver.ts";
import { groupsWith, requireGroups } from "#model/groups-with.ts";
import type { DriverSubject } from "../driver-subject.ts";
import { fileBody, sample, type Sample } from "../sample-object.ts";
import { kitBackend, type KitTest } from "./kit-test.ts";

/** Groups of small objects, where a driver has them. */
export function groupTests({
  groupObjects = groupObjectsMax,
}: Pick<DriverSubject, "groupObjects">): readonly KitTest[] {
  return [
    test("stores a group, verified and whole, and reads it as a group", async ({ open }) => {
      // With a capacity every driver counts what its copies take.
      const driver = await open({ capacityBytes: 64 * 1024 * 1024 });
      const { usedBytes: before = 0 } = await driver.status();
      const samples = samplesOf(groupObjects, 700);
      const stored = await storeAll(driver, samples);
      for (const [at, { object }] of samples.entries()) {
        expect(stored[at]).toMatchObject({ moved: true });
        expect(stored[at]?.evidence).toMatchObject({
          backend: kitBackend,
          cid: object.cid,
          finding: "present",
          confidence: "verified",
          bytesRead: object.size,
        });
        expect(await driver.stat(object)).toEqual(stored[at]?.copy);
      }
      using read = await requireGroups(driver).readGroup(samples.map(({ object }) => object));
      expect(read.bytes.map(text)).toEqual(samples.map(({ bytes }) => text(bytes)));
      const bytes = samples.reduce((sum, { object }) => sum + object.size, 0);
      expect((await driver.status()).usedBytes).toBe(before + bytes);
      expect((await storeAll(driver, samples)).every((copy) => copy?.moved === false)).toBe(true);
    }),
    test("leaves out of a group what is absent or damaged, and nothing else", async (context) => {
      const { driver, storage } = context;
      const samples = samplesOf(20, 900);
      const [absent, damaged] = [samples[3], samples[7]];
      if (absent === undefined || damaged === undefined) throw new Error("no samples");
      const stored = await storeAll(
        driver,
        samples.filter((other) => other !== absent),
      );
      const copy = stored[6]?.copy;
      if (copy !== undefined) await storage.corrupt(copy);
      using read = await requireGroups(driver).readGroup(samples.map(({ object }) => object));
      expect(read.bytes.map((bytes) => bytes !== undefined)).toEqual(
        samples.map((other) => other !== absent && other !== damaged),
      );
      const again = await storeAll(driver, samples);
      expect(again.map((ended) => ended?.moved)).toEqual(
        samples.map((other) => (other === damaged ? undefined : other === absent)),
      );
    }),
    test("a group that would exceed the capacity takes no room", async ({ open }) => {
      const driver = await open({ capacityBytes: 5_000 });
      const samples = samplesOf(10, 900);
      expect((await storeAll(driver, samples)).every((ended) => ended === undefined)).toBe(true);
      const fitting = samples.slice(0, 5);
      expect((await storeAll(driver, fitting)).every((ended) => ended?.moved)).toBe(true);
      const status = await driver.status();
      const bytes = fitting.reduce((sum, { object }) => sum + object.size, 0);
      expect([status.usedBytes, status.freeBytes]).toEqual([bytes, 5_000 - bytes]);
    }),
    test("two groups of the same objects at once end as one", async ({ driver, open }) => {
      const other = await open();
      const samples = samplesOf(Math.min(groupObjects, 100), 300);
      const ends = await Promise.all([storeAll(driver, samples), storeAll(other, samples)]);
      for (const [at, { object }] of samples.entries()) {
        expect(ends.map((stored) => stored[at]?.evidence.finding)).toEqual(["present", "present"]);
        expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
      }
      const listed = await Array.fromAsync(driver.list());
      expect(listed.length).toBe(samples.length);
    }),
    test("a group that is stopped has stored what it says, and nothing in part", async (context) => {
      const { driver } = context;
      const samples = samplesOf(groupObjects, 2_000);
      const abort = new AbortController();
      const storing = storeAll(driver, samples, abort.signal);
      setImmediate(() => {
        abort.abort();
      });
      const stored = await storing;
      const listed = new Set((await Array.fromAsync(driver.list())).map(({ cid }) => cid));
      for (const [at, { object }] of samples.entries()) {
        if (stored[at] !== undefined) expect(listed).toContain(object.cid);
        if (!listed.has(object.cid)) continue;
        expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
      }
      const none = await storeAll(driver, samplesOf(5, 50), AbortSignal.abort());
      expect(none.every((ended) => ended === undefined)).toBe(true);
    }),
    test("a copy in another form is left alone", async ({ driver }) => {
      const samples = samplesOf(3, 100);
      const [first] = samples;
      const { forms } = driver.capabilities;
      if (first === undefined || !forms.includes("car")) {
        expect(forms).toHaveLength(1);
        return;
      }
      const stream = fileToCar(fileBody(first).stream, first.object);
      const car = await driver.write(first.object, { form: "car", bytes: undefined, stream });
      const stored = await storeAll(driver, samples);
      expect(stored.map((ended) => ended?.moved)).toEqual([undefined, true, true]);
      expect(await driver.stat(first.object)).toEqual(car);
    }),
  ];
}

/** A driver without groups has neither of their methods. */
function test(name: string, run: KitTest["run"]): KitTest {
  return {
    name,
    run: async (context) => {
      const { driver } = context;
      if (groupsWith(driver) !== undefined) await run(context);
      else expect([driver.readGroup, driver.storeGroup]).toEqual([undefined, undefined]);
    },
  };
}

function samplesOf(count: number, size: number): readonly Sample[] {
  return Array.from({ length: count }, (_, at) => sample(size + (at % 7), at + 1));
}

function storeAll(driver: Driver, samples: readonly Sample[], signal?: AbortSignal) {
  return requireGroups(driver).storeGroup(
    samples.map(({ object }) => object),
    samples.map(({ bytes }) => bytes),
    signal === undefined ? {} : { signal },
  );
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString("base64");
}
