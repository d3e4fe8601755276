import { expect } from "vitest";
import { EngineError } from "#model/engine-error.ts";
import { type KitTest, kitBackend } from "./kit-test.ts";
import type { DriverSubject } from "../driver-subject.ts";
import { bodyFor, formFor, isReadable, permit, sample, strongest } from "../sample-object.ts";

/** What a check finds is what is there; and removal asks for the right permit. */
export function verificationTests(subject: DriverSubject): readonly KitTest[] {
  return [
    {
      name: "finds an absent copy absent at every level",
      run: async ({ driver }) => {
        const { object } = sample(10);
        for (const level of subject.definition.capabilities.confidence) {
          const evidence = await driver.verify(object, level);
          expect(evidence).toMatchObject({ finding: "absent", bytesRead: 0 });
        }
      },
    },
    {
      name: "checks what was just written as any other copy, and finds it absent when it is gone",
      run: async ({ driver }) => {
        const stored = sample(5_000);
        const written = await driver.write(stored.object, bodyFor(driver, stored));
        const level = strongest(driver);
        const { checkedAt: _now, ...found } = await driver.verify(stored.object, level);
        const told = await driver.verify(stored.object, level, { written });
        expect(told).toMatchObject({ ...found, finding: "present" });
        await driver.remove(stored.object, permit(stored.object, kitBackend));
        const gone = await driver.verify(stored.object, level, { written });
        expect(gone).toMatchObject({ finding: "absent", bytesRead: 0 });
      },
    },
    ...(isReadable(subject.definition) ? [1, 5_000, subject.largeBytes].map(findsCorruption) : []),
    {
      name: "says what it checked, how, when and how much it read",
      run: async ({ driver }) => {
        const stored = sample(5_000);
        await driver.write(stored.object, bodyFor(driver, stored));
        const before = Date.now();
        const evidence = await driver.verify(stored.object, strongest(driver));
        expect(evidence).toMatchObject({ backend: kitBackend, cid: stored.object.cid });
        // A CAR has a little more than the file in it.
        if (formFor(driver) === "file") expect(evidence.bytesRead).toBe(5_000);
        else if (isReadable(driver)) expect(evidence.bytesRead).toBeGreaterThan(5_000);
        else expect(evidence.bytesRead).toBe(0);
        expect(evidence.method).not.toBe("");
        expect(Date.parse(evidence.checkedAt)).toBeGreaterThanOrEqual(before);
      },
    },
    {
      name: "removes with a permit, and removing again is harmless",
      run: async ({ driver, open }) => {
        const [stored, kept] = [sample(5_000, 1), sample(5_000, 2)];
        await driver.write(stored.object, bodyFor(driver, stored));
        await driver.write(kept.object, bodyFor(driver, kept));
        const leave = permit(stored.object, kitBackend);
        expect(await driver.remove(stored.object, leave)).toBe("removed");
        expect(await driver.remove(stored.object, leave)).toBe("absent");
        expect(await (await open()).remove(stored.object, leave)).toBe("absent");
        expect(await driver.stat(stored.object)).toBeUndefined();
        expect(await driver.stat(kept.object)).toBeDefined();
      },
    },
    {
      name: "asks at the last moment whether it may still remove, and keeps the copy if not",
      run: async ({ driver }) => {
        const stored = sample(5_000);
        await driver.write(stored.object, bodyFor(driver, stored));
        const leave = permit(stored.object, kitBackend);
        const removing = driver.remove(stored.object, leave, { confirm: refuse });
        await expect(removing).rejects.toMatchObject({ code: "CONFLICT" });
        expect(await driver.stat(stored.object)).toBeDefined();
        let asked = 0;
        const agree = async (): Promise<void> => {
          asked += 1;
        };
        expect(await driver.remove(stored.object, leave, { confirm: agree })).toBe("removed");
        expect(asked).toBeGreaterThan(0);
      },
    },
    {
      name: "refuses a permit for another object or another backend",
      run: async ({ driver }) => {
        const stored = sample(5_000);
        await driver.write(stored.object, bodyFor(driver, stored));
        const others = [permit(sample(7).object, kitBackend), permit(stored.object, "elsewhere")];
        for (const leave of others) {
          const removing = driver.remove(stored.object, leave);
          await expect(removing).rejects.toMatchObject({ code: "REFUSED" });
        }
        expect(await driver.stat(stored.object)).toBeDefined();
      },
    },
  ];
}

async function refuse(): Promise<void> {
  throw new EngineError("CONFLICT", "the job is another worker's by now");
}

function findsCorruption(size: number): KitTest {
  return {
    name: `finds one changed byte in a copy of ${size} bytes`,
    run: async ({ driver, storage }) => {
      const stored = sample(size);
      const written = await driver.write(stored.object, bodyFor(driver, stored));
      await storage.corrupt(written);
      for (const options of [{}, { written }]) {
        const evidence = await driver.verify(stored.object, "verified", options);
        expect(evidence).toMatchObject({ finding: "corrupt", cid: stored.object.cid });
      }
    },
  };
}
