import { expect } from "vitest";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { KitContext, KitTest } from "./kit-test.ts";
import type { DriverSubject } from "../driver-subject.ts";
import {
  bodyFor,
  bodyOf,
  collect,
  formFor,
  isReadable,
  pieces,
  type Sample,
  sample,
  strongest,
} from "../sample-object.ts";

/** Soon, for a call that is told to stop. */
const soonMs = 2_000;

/** A write that does not come to its end leaves nothing that anybody could see. */
export function interruptionTests(subject: DriverSubject): readonly KitTest[] {
  return [
    ...[1_000, subject.largeBytes].flatMap((size) => [
      throwingBody(size),
      wrongSize(size, "short", -1),
      wrongSize(size, "long", 1),
      abortedWrite(size),
    ]),
    ...(isReadable(subject.definition) ? [abortedRead(subject.largeBytes)] : []),
    calledOff,
    capacityKnown,
    capacityUnknown,
  ];
}

function throwingBody(size: number): KitTest {
  return {
    name: `a body of ${size} bytes that throws near its end leaves nothing`,
    run: async (context) => {
      const stored = sample(size);
      const stream = (async function* (): ByteStream {
        yield* pieces(stored.bytes.subarray(0, size - 1));
        throw new EngineError("CORRUPT", "the source is damaged");
      })();
      const body = bodyOf(context.driver, stored, stream, size);
      const writing = context.driver.write(stored.object, body);
      await expect(writing).rejects.toMatchObject({
        code: "CORRUPT",
        message: expect.stringContaining("the source is damaged") as string,
      });
      await expectNothing(context, stored);
    },
  };
}

function wrongSize(size: number, which: string, difference: number): KitTest {
  return {
    name: `a body of ${size} bytes that is too ${which} is CORRUPT and leaves nothing`,
    run: async (context) => {
      const stored = sample(size);
      const wrong = sample(size + difference).bytes;
      for (const bytes of [size, undefined]) {
        const body = bodyOf(context.driver, stored, pieces(wrong), bytes);
        const writing = context.driver.write(stored.object, body);
        await expect(writing).rejects.toMatchObject({ code: "CORRUPT" });
        await expectNothing(context, stored);
      }
    },
  };
}

function abortedWrite(size: number): KitTest {
  return {
    name: `a write of ${size} bytes stops at once when told to, though its source hangs`,
    run: async (context) => {
      const stored = sample(size);
      const abort = new AbortController();
      const stream = (async function* (): ByteStream {
        yield* pieces(stored.bytes.subarray(0, size - 1));
        setTimeout(() => {
          abort.abort();
        }, 20);
        await new Promise(() => undefined);
      })();
      const startedAt = performance.now();
      const body = bodyOf(context.driver, stored, stream, size);
      const writing = context.driver.write(stored.object, body, { signal: abort.signal });
      await expect(writing).rejects.toMatchObject({ code: "CANCELLED" });
      expect(performance.now() - startedAt).toBeLessThan(soonMs);
      await expectNothing(context, stored);
    },
  };
}

function abortedRead(size: number): KitTest {
  return {
    name: "a read stops at once when told to",
    run: async ({ driver }) => {
      const stored = sample(size);
      const copy = await driver.write(stored.object, bodyFor(driver, stored));
      const abort = new AbortController();
      const stream = await driver.read(stored.object, copy, { signal: abort.signal });
      const reading = (async () => {
        for await (const _ of stream) abort.abort();
      })();
      await expect(reading).rejects.toMatchObject({ code: "CANCELLED" });
    },
  };
}

const calledOff: KitTest = {
  name: "does nothing when the signal has fired before",
  run: async (context) => {
    const { driver } = context;
    const stored = sample(1_000);
    const options = { signal: AbortSignal.abort() };
    const cancelled = { code: "CANCELLED" };
    await expect(driver.stat(stored.object, options)).rejects.toMatchObject(cancelled);
    const writing = driver.write(stored.object, bodyFor(driver, stored), options);
    await expect(writing).rejects.toMatchObject(cancelled);
    await expectNothing(context, stored);
    await driver.write(stored.object, bodyFor(driver, stored));
    const verifying = driver.verify(stored.object, strongest(driver), options);
    await expect(verifying).rejects.toMatchObject(cancelled);
    await expect(Array.fromAsync(driver.list(options))).rejects.toMatchObject(cancelled);
  },
};

const capacityKnown: KitTest = {
  name: "keeps to its capacity, and takes again after a removal of others",
  run: async ({ open }) => {
    const small = await open({ capacityBytes: 10_000 });
    const [first, second] = [sample(6_000, 1), sample(6_000, 2)];
    await small.write(first.object, bodyFor(small, first));
    const unread: ByteStream = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error("nothing may be read when it cannot fit")),
      }),
    };
    const writing = small.write(second.object, bodyOf(small, second, unread, 6_000));
    await expect(writing).rejects.toMatchObject({ code: "NO_SPACE" });
    expect(await small.stat(second.object)).toBeUndefined();
    expect(await small.status()).toMatchObject({ usedBytes: 6_000, freeBytes: 4_000 });
    const third = sample(4_000, 3);
    await small.write(third.object, bodyFor(small, third));
    expect(await small.status()).toMatchObject({ usedBytes: 10_000, freeBytes: 0 });
  },
};

const capacityUnknown: KitTest = {
  name: "counts what is being written against its capacity",
  run: async ({ open }) => {
    const small = await open({ capacityBytes: 10_000 });
    const [first, second] = [sample(6_000, 1), sample(6_000, 2)];
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const slow = (async function* (): ByteStream {
      begun.resolve();
      await released.promise;
      yield first.bytes;
    })();
    const writing = small.write(first.object, bodyOf(small, first, slow, undefined));
    await begun.promise;
    const refused = small.write(second.object, bodyFor(small, second));
    await expect(refused).rejects.toMatchObject({ code: "NO_SPACE" });
    released.resolve();
    await writing;
    expect((await small.status()).usedBytes).toBe(6_000);
  },
};

async function expectNothing(context: KitContext, { object }: Sample): Promise<void> {
  expect(await context.driver.stat(object)).toBeUndefined();
  expect(await Array.fromAsync(context.driver.list())).toEqual([]);
  const form = formFor(context.driver);
  const gone = { locator: object.cid, form, bytes: object.size };
  const reading = context.driver.read(object, gone).then(collect);
  const code = isReadable(context.driver) ? "NOT_FOUND" : "NOT_SUPPORTED";
  await expect(reading).rejects.toMatchObject({ code });
  expect(await context.storage.leftovers()).toEqual([]);
}
