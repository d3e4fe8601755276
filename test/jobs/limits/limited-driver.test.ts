import { expect, test } from "vitest";
import { limitedDriver } from "#jobs/limits/limited-driver.ts";
import { bytesBurst, Throttle } from "#jobs/limits/throttle.ts";
import { TokenBucket } from "#jobs/limits/token-bucket.ts";
import type { Driver } from "#model/driver.ts";
import type { RemovalPermit } from "#model/removal.ts";
import { SinglePiece } from "#model/single-piece.ts";

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

test("bytes that come in one piece wait for their turn like any other", async () => {
  const throttle = new Throttle({
    backend: "hot",
    node: { upload: free(), download: free() },
    refresh: () => undefined,
    onHold: () => undefined,
  });
  const content = Buffer.alloc(200_000, "content");
  const body = new SinglePiece(() => content);
  throttle.upload.bucket.setRate(0);
  const stop = new AbortController();
  const stopped = take(throttle.pace("upload", body, stop.signal));
  stop.abort();
  await expect(stopped).rejects.toMatchObject({ code: "CANCELLED" });
  const waiting = take(throttle.pace("upload", body));
  throttle.upload.bucket.setRate(undefined);
  expect(await waiting).toBe(content);
  throttle.use();
  expect(await take(throttle.pace("download", body))).toBe(content);
  expect(throttle.use().download.wanted).toBeGreaterThan(0);
});

function free(): TokenBucket {
  return new TokenBucket({ rate: undefined, ...bytesBurst });
}

async function take(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (!(stream instanceof SinglePiece)) throw new Error("it does not come in one piece any more");
  return await stream.take();
}

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
