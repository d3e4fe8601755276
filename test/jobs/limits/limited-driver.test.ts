import { expect, test } from "vitest";
import { limitedDriver } from "#jobs/limits/limited-driver.ts";
import type { Throttle } from "#jobs/limits/throttle.ts";
import type { Driver } from "#model/driver.ts";
import type { RemovalPermit } from "#model/removal.ts";

const object = { cid: "bafkreifake", size: 1, profile: "raw-sha256" };

test("a removal that waited for its turn until its permit ran out is not made", async () => {
  const made: string[] = [];
  const limited = driverThatNotes(made);
  await expect(limited.remove(object, permitUntil(Date.now() - 1))).rejects.toMatchObject({
    code: "REFUSED",
    message: expect.stringContaining("ran out at"),
  });
  expect(made).toEqual([]);
  expect(await limited.remove(object, permitUntil(Date.now() + 60_000))).toBe("removed");
  expect(made).toEqual(["removed"]);
});

function driverThatNotes(made: string[]): Driver {
  const driver = {
    remove: async () => {
      made.push("removed");
      return "removed" as const;
    },
  };
  const throttle = { request: async () => undefined, hold: () => undefined };
  // Only these are asked for.
  return limitedDriver(driver as unknown as Driver, throttle as unknown as Throttle);
}

function permitUntil(expires: number): RemovalPermit {
  return {
    ...object,
    id: "run-1-0",
    objectId: 1,
    backend: "hot",
    reserved: [],
    authority: "surplus",
    issuedAt: new Date(0).toISOString(),
    expiresAt: new Date(expires).toISOString(),
  };
}
