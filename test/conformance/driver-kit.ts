import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Driver } from "#model/driver.ts";
import type { DriverSubject, SubjectStorage } from "./driver-subject.ts";
import { declarationTests } from "./driver-kit/declaration.ts";
import { groupTests } from "./driver-kit/groups.ts";
import { interruptionTests } from "./driver-kit/interruption.ts";
import { pieceTests } from "./driver-kit/pieces.ts";
import type { KitNote } from "./driver-kit/kit-note.ts";
import type { KitTest } from "./driver-kit/kit-test.ts";
import { listingTests } from "./driver-kit/listing.ts";
import { namedFileTests } from "./driver-kit/named-files.ts";
import { roundTripTests } from "./driver-kit/round-trip.ts";
import { verificationTests } from "./driver-kit/verification.ts";

/**
 * The suite that every driver passes. It reads the declared capabilities to know what to
 * expect: what is declared must work, and what is not must throw NOT_SUPPORTED.
 */
export function testDriver(subject: DriverSubject): void {
  const tests: readonly KitTest[] = [
    ...declarationTests(subject),
    ...roundTripTests(subject),
    ...interruptionTests(subject),
    ...pieceTests(subject),
    ...groupTests(subject),
    ...verificationTests(subject),
    ...listingTests(),
    ...namedFileTests(subject),
  ];
  const { missing } = subject;
  const note = missing === undefined ? "" : ` (${missing})`;
  if (missing !== undefined) console.error(`skipped: driver ${subject.name}${note}`);
  describe.skipIf(missing !== undefined)(`driver ${subject.name}${note}`, () => {
    it("skips only tests that the kit has", () => {
      const names = tests.map((test) => test.name);
      expect(names).toEqual(expect.arrayContaining(subject.skip.map((skip) => skip.test)));
    });
    describe("in an empty place", () => {
      runAll(subject, tests);
    });
  });
}

function runAll(subject: DriverSubject, tests: readonly KitTest[]): void {
  let storage: SubjectStorage;
  const opened: Driver[] = [];
  const open = async (options?: { readonly capacityBytes?: number }): Promise<Driver> => {
    const driver = await storage.open(options);
    opened.push(driver);
    return driver;
  };
  beforeEach(async () => {
    storage = await subject.storage();
  });
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
    const leftovers = await storage.leftovers();
    await storage.remove();
    expect(leftovers).toEqual([]);
  });
  for (const test of tests) {
    const reason = subject.skip.find((skip) => skip.test === test.name)?.reason;
    const words = reason === undefined ? "" : ` (${reason})`;
    if (words !== "") console.error(`skipped: driver ${subject.name}: ${test.name}${words}`);
    const meta = { driverKit: noteOf(subject, test, reason) };
    it.skipIf(reason !== undefined)(`${test.name}${words}`, { meta }, async ({ task }) => {
      expect.hasAssertions();
      const tellServer = (server: string): void => {
        task.meta.driverKit = { ...meta.driverKit, server };
      };
      await test.run({ subject, storage, driver: await open(), open, tellServer });
    });
  }
}

function noteOf(subject: DriverSubject, test: KitTest, reason: string | undefined): KitNote {
  const { name, definition, missing } = subject;
  const note = { driver: definition.name, subject: name, test: test.name };
  if (missing !== undefined) return { ...note, skipped: { cause: "missing", reason: missing } };
  return reason === undefined ? note : { ...note, skipped: { cause: "driver", reason } };
}
