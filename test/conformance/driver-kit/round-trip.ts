import { assert, asyncProperty, integer, nat, oneof } from "fast-check";
import { expect } from "vitest";
import { convertForm } from "#content/convert-form.ts";
import type { Form } from "#model/copy.ts";
import type { KitTest } from "./kit-test.ts";
import type { DriverSubject } from "../driver-subject.ts";
import {
  bodyFor,
  bodyOf,
  collect,
  expectStored,
  formFor,
  isReadable,
  pieces,
  sample,
  sizesOf,
  strongest,
} from "../sample-object.ts";

const chunkBytes = 1024 * 1024;

/** What goes in comes out, in every size and cut, whole and in parts. */
export function roundTripTests(subject: DriverSubject): readonly KitTest[] {
  const sizes: readonly (readonly [string, number])[] = [
    ["an empty file", 0],
    ["one byte", 1],
    ["exactly one chunk", chunkBytes],
    ["one byte more than a chunk", chunkBytes + 1],
    ["a large file", subject.largeBytes],
  ];
  return [
    ...sizes.flatMap(([what, size]) => [storesAndReads(what, size), storesUnannounced(what, size)]),
    ...subject.definition.capabilities.forms
      .filter((form) => form !== "file")
      .flatMap((form) => [0, 1, chunkBytes + 1, subject.largeBytes].map(storesForm(form))),
    storesAnything(subject),
    ...(subject.definition.capabilities.ranges === "bytes" ? [readsRanges(subject)] : []),
    writesTwice,
    ...(isReadable(subject.definition) ? [replaces] : []),
    writesAtOnce,
    {
      name: "reading what is not there is NOT_FOUND",
      run: async ({ driver }) => {
        const { object } = sample(10);
        const gone = { locator: "elsewhere", form: formFor(driver), bytes: 10 };
        const reading = driver.read(object, gone).then(collect);
        const code = isReadable(driver) ? "NOT_FOUND" : "NOT_SUPPORTED";
        await expect(reading).rejects.toMatchObject({ code });
      },
    },
  ];
}

function storesAndReads(what: string, size: number): KitTest {
  return {
    name: `stores and reads back ${what}`,
    run: async ({ driver, open }) => {
      const stored = sample(size);
      const copy = await driver.write(stored.object, bodyFor(driver, stored));
      const form = formFor(driver);
      expect(copy).toMatchObject(form === "file" ? { form, bytes: size } : { form });
      expect(await driver.stat(stored.object)).toEqual(copy);
      const other = await open();
      expect(await other.stat(stored.object)).toEqual(copy);
      await expectStored(other, stored, copy);
    },
  };
}

function storesUnannounced(what: string, size: number): KitTest {
  return {
    name: `stores ${what} whose size was not announced`,
    run: async ({ driver }) => {
      const stored = sample(size);
      const body = bodyOf(driver, stored, pieces(stored.bytes, 100_003), undefined);
      const copy = await driver.write(stored.object, body);
      if (formFor(driver) === "file") expect(copy.bytes).toBe(size);
      await expectStored(driver, stored, copy);
    },
  };
}

function storesForm(form: Form): (size: number) => KitTest {
  return (size) => ({
    name: `stores a file of ${size} bytes as ${form}, and finds a changed byte in it`,
    run: async ({ driver, storage }) => {
      const stored = sample(size);
      const converted = convertForm(pieces(stored.bytes), "file", form, stored.object);
      const copy = await driver.write(stored.object, { form, bytes: undefined, stream: converted });
      expect(copy.form).toBe(form);
      expect(await driver.stat(stored.object)).toEqual(copy);
      const listed = await Array.fromAsync(driver.list());
      expect(listed).toMatchObject([{ cid: stored.object.cid, copy }]);
      expect(sizesOf(form, size)).toContain(listed[0]?.size);
      await expectStored(driver, stored, copy);
      if (!isReadable(driver)) return;
      await storage.corrupt(copy);
      expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "corrupt" });
      await driver.write(stored.object, bodyFor(driver, stored), { replace: true });
      expect(await Array.fromAsync(driver.list())).toHaveLength(1);
      expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
    },
  });
}

const storesAnything = ({ bytesMin: min = 0 }: DriverSubject): KitTest => ({
  name: "stores and verifies files of any size cut in any way",
  run: async ({ driver }) => {
    const size = oneof(integer({ min, max: 2_000 }), integer({ min, max: 300_000 }));
    const cut = integer({ min: 100, max: 200_000 });
    await assert(
      asyncProperty(size, cut, nat(), async (bytes, pieceBytes, seed) => {
        const stored = sample(bytes, seed);
        const copy = await driver.write(stored.object, bodyFor(driver, stored, pieceBytes));
        await expectStored(driver, stored, copy);
        const evidence = await driver.verify(stored.object, strongest(driver));
        if (formFor(driver) === "file") expect(evidence.bytesRead).toBe(bytes);
      }),
      { numRuns: 15 },
    );
  },
});

function readsRanges(subject: DriverSubject): KitTest {
  return {
    name: "reads any half-open range, cut off at the end",
    run: async ({ driver }) => {
      const size = subject.largeBytes;
      const stored = sample(size);
      const copy = await driver.write(stored.object, bodyFor(driver, stored));
      const ranges: readonly (readonly [number, number])[] = [
        [0, 1],
        [0, size],
        [1, 3],
        [size - 1, size],
        [chunkBytes - 1, chunkBytes + 1],
        [10, 2 * chunkBytes + 10],
        [5, 5],
        [size - 2, size + 100],
        [size, size + 1],
      ];
      for (const [start, end] of ranges) {
        const read = await collect(
          await driver.read(stored.object, copy, { range: { start, end } }),
        );
        expect(read.equals(stored.bytes.subarray(start, end)), `${start} to ${end}`).toBe(true);
      }
    },
  };
}

const writesTwice: KitTest = {
  name: "a second write of the same object changes nothing and reads nothing",
  run: async ({ driver }) => {
    const stored = sample(5_000);
    const first = await driver.write(stored.object, bodyFor(driver, stored));
    const used = (await driver.status()).usedBytes;
    const stream = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error("the body must not be read")),
      }),
    };
    const second = await driver.write(stored.object, bodyOf(driver, stored, stream, 5_000));
    expect(second).toEqual(first);
    expect((await driver.status()).usedBytes).toBe(used);
    expect(await Array.fromAsync(driver.list())).toHaveLength(1);
  },
};

const replaces: KitTest = {
  name: "replaces a corrupt copy when told to, and only then",
  run: async ({ driver, storage }) => {
    const stored = sample(5_000);
    const copy = await driver.write(stored.object, bodyFor(driver, stored));
    await storage.corrupt(copy);
    await driver.write(stored.object, bodyFor(driver, stored));
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "corrupt" });
    await driver.write(stored.object, bodyFor(driver, stored), { replace: true });
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
    expect(await Array.fromAsync(driver.list())).toHaveLength(1);
  },
};

const writesAtOnce: KitTest = {
  name: "two drivers may write the same object at the same time",
  run: async ({ driver, open }) => {
    const other = await open();
    const stored = sample(300_000);
    const copies = await Promise.all(
      [driver, other, driver, other].map((writer) =>
        writer.write(stored.object, bodyFor(writer, stored, 7_001)),
      ),
    );
    expect(new Set(copies.map((copy) => JSON.stringify(copy))).size).toBe(1);
    expect(await driver.verify(stored.object, strongest(driver))).toMatchObject({
      finding: "present",
    });
    expect(await Array.fromAsync(other.list())).toHaveLength(1);
  },
};
