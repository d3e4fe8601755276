import { expect } from "vitest";
import type { ByteStream, Driver, WriteBody } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { SinglePiece } from "#model/single-piece.ts";
import type { KitTest } from "./kit-test.ts";
import type { DriverSubject } from "../driver-subject.ts";
import {
  bodyOf,
  expectStored,
  formFor,
  isReadable,
  type Sample,
  sample,
  strongest,
} from "../sample-object.ts";

/** What a body's pieces are: one, or many whose memory is used again. */
export function pieceTests(subject: DriverSubject): readonly KitTest[] {
  return [...[0, 1, 5_000, 200_000].map(storesOnePiece), refusesWrongPiece, releases(subject)];
}

function storesOnePiece(size: number): KitTest {
  return {
    name: `stores ${size} bytes that come in one piece`,
    run: async ({ driver }) => {
      const stored = sample(size);
      const copy = await driver.write(
        stored.object,
        whole(driver, stored, () => stored.bytes),
      );
      await expectStored(driver, stored, copy);
      const evidence = await driver.verify(stored.object, strongest(driver));
      if (isReadable(driver)) expect(evidence.bytesRead).toBeGreaterThanOrEqual(size);
      if (formFor(driver) === "file") expect(evidence.bytesRead).toBe(size);
    },
  };
}

const refusesWrongPiece: KitTest = {
  name: "one piece that is too short or too long, fails or hangs leaves nothing",
  run: async ({ driver }) => {
    const stored = sample(5_000);
    const { object, bytes } = stored;
    for (const open of [() => bytes.subarray(1), () => Buffer.concat([bytes, bytes]), fail]) {
      const writing = driver.write(object, whole(driver, stored, open));
      await expect(writing).rejects.toMatchObject({ code: "CORRUPT" });
    }
    const abort = new AbortController();
    const hanging = driver.write(
      object,
      whole(driver, stored, () => {
        setTimeout(() => {
          abort.abort();
        }, 20);
        return new Promise(() => undefined);
      }),
      { signal: abort.signal },
    );
    await expect(hanging).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await driver.stat(object)).toBeUndefined();
    expect(await Array.fromAsync(driver.list())).toEqual([]);
  },
};

function releases(subject: DriverSubject): KitTest {
  return {
    name: "has done with each piece when it asks for the next, if it says so",
    run: async ({ driver }) => {
      const stored = sample(subject.largeBytes);
      const again = new Uint8Array(1024 * 1024);
      async function* pieces(): ByteStream {
        for (let at = 0; at < stored.bytes.length; at += again.length) {
          const memory = driver.releasesPieces === true ? again : new Uint8Array(again.length);
          const piece = stored.bytes.subarray(at, at + memory.length);
          memory.set(piece);
          yield memory.subarray(0, piece.length);
          again.fill(0);
        }
      }
      const body = bodyOf(driver, stored, pieces(), stored.bytes.length);
      await expectStored(driver, stored, await driver.write(stored.object, body));
    },
  };
}

function fail(): never {
  throw new EngineError("CORRUPT", "the source is damaged");
}

function whole(
  driver: Driver,
  stored: Sample,
  open: () => Uint8Array | Promise<Uint8Array>,
): WriteBody {
  return bodyOf(driver, stored, new SinglePiece(open), stored.bytes.length);
}
