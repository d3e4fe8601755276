import { expect } from "vitest";
import type { Driver, NamedBody, NamedFiles } from "#model/driver.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";
import type { KitTest } from "./kit-test.ts";
import { bodyFor, collect, pieces, sample } from "../sample-object.ts";
import type { DriverSubject } from "../driver-subject.ts";

const text = (words: string): NamedBody => ({
  bytes: words.length,
  stream: pieces(Buffer.from(words)),
});

/** Files by name, beside the copies: a facet that a driver has whole or not at all. */
export function namedFileTests(subject: DriverSubject): readonly KitTest[] {
  const methods = ["writeNamed", "readNamed", "listNamed", "removeNamed"] as const;
  const whole: KitTest = {
    name: "keeps files by name with all methods or with none",
    run: async ({ driver }) => {
      const present = methods.filter((method) => driver[method] !== undefined);
      expect([0, methods.length]).toContain(present.length);
      if (present.length > 0) return;
      expect(() => requireNamedFiles(driver, "b")).toThrow(/keeps no files by name/);
    },
  };
  return [whole, ...facetTests(subject.largeBytes)];
}

function facetTests(largeBytes: number): readonly KitTest[] {
  return [
    test("gives a named file back, to another driver too, and replaces it", async (files, open) => {
      await files.writeNamed("notes/one.txt", text("first"));
      expect(await read(await open(), "notes/one.txt")).toBe("first");
      await files.writeNamed("notes/one.txt", text("second"));
      expect(await read(files, "notes/one.txt")).toBe("second");
      await files.writeNamed("notes/none.txt", text(""));
      expect(await read(files, "notes/none.txt")).toBe("");
    }),
    test("gives a large named file back as it was", async (files) => {
      const { bytes } = sample(largeBytes, 9);
      await files.writeNamed("large", { bytes: bytes.length, stream: pieces(bytes) });
      const found = await collect(await files.readNamed("large"));
      expect(Buffer.compare(found, bytes)).toBe(0);
    }),
    test("lists the named files of a folder by name, with their bytes", async (files) => {
      expect(await files.listNamed("a")).toEqual([]);
      for (const name of ["a/z", "a/b/two", "a/b/one", "ab/other"]) {
        await files.writeNamed(name, text(name));
      }
      expect(await files.listNamed("a")).toEqual([
        { name: "a/b/one", bytes: 7 },
        { name: "a/b/two", bytes: 7 },
        { name: "a/z", bytes: 3 },
      ]);
    }),
    test("removes a named file, and does not mind when there is none", async (files) => {
      await files.writeNamed("a/one", text("one"));
      await files.removeNamed("a/one");
      await files.removeNamed("a/one");
      expect(await files.listNamed("a")).toEqual([]);
      await expect(read(files, "a/one")).rejects.toMatchObject({ code: "NOT_FOUND" });
    }),
    test("keeps the old named file when the new one does not come whole", async (files) => {
      await files.writeNamed("one", text("old"));
      for (const bytes of [2, 4]) {
        const writing = files.writeNamed("one", { ...text("new"), bytes });
        await expect(writing).rejects.toMatchObject({ code: "CORRUPT" });
      }
      const failing = files.writeNamed("one", { bytes: 3, stream: broken() });
      await expect(failing).rejects.toThrow("the source broke");
      expect(await read(files, "one")).toBe("old");
    }),
    test("refuses names that could lead elsewhere", async (files) => {
      for (const name of ["../out", "/root", "a//b", "a/../b", "A", ".hidden", "a/", "a b", ""]) {
        await expect(writeAt(files, name)).rejects.toMatchObject({ code: "USAGE" });
      }
    }),
    {
      name: "does not take named files for copies",
      run: async ({ driver }) => {
        if (driver.writeNamed === undefined) return expect(driver.listNamed).toBeUndefined();
        const stored = sample(100, 3);
        await driver.write(stored.object, bodyFor(driver, stored));
        await driver.writeNamed(`copies/${stored.object.cid}`, text("x"));
        const listed = await Array.fromAsync(driver.list());
        expect(listed.map(({ cid }) => cid)).toEqual([stored.object.cid]);
      },
    },
  ];
}

type Files = Driver & NamedFiles;

function test(name: string, run: (files: Files, open: () => Promise<Files>) => unknown): KitTest {
  return {
    name,
    run: async ({ driver, open }) => {
      if (driver.writeNamed === undefined) return expect(driver.readNamed).toBeUndefined();
      await run(requireNamedFiles(driver, "b"), async () => requireNamedFiles(await open(), "b"));
    },
  };
}

async function writeAt(files: NamedFiles, name: string): Promise<void> {
  await files.writeNamed(name, text("x"));
}

async function read(files: NamedFiles, name: string): Promise<string> {
  return Buffer.from(await collect(await files.readNamed(name))).toString();
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from("x"));
  throw new Error("the source broke");
}
