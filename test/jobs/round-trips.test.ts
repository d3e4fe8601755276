import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { isNoFile } from "#content/car-to-file.ts";
import { convertForm } from "#content/convert-form.ts";
import type { EngineError } from "#model/engine-error.ts";
import { collect, sample } from "../conformance/sample-object.ts";
import { digestBefore, everyPair, placesFor, takeTrip } from "../round-trips/take-trip.ts";
import { ownTree, smallContents } from "../round-trips/trip-content.ts";
import { openTripPlaces, type TripPlaces, tripPlacesMissing } from "../round-trips/trip-places.ts";

test("a file of another profile is read as the file it is, and not stored as one", async () => {
  const { object, body } = ownTree("cut in other pieces", { chunkBytes: 65_536 });
  const read = await collect(convertForm(body().stream, "dag", "file", object));
  expect(read.equals(sample(object.size, 6).bytes)).toBe(true);
  const stored = collect(convertForm(body().stream, "dag", "file", object, "store"));
  await expect(stored).rejects.toSatisfy((error: EngineError) => isNoFile(error));
});

const missing = tripPlacesMissing();
if (missing !== undefined) console.error(`skipped: round trips: ${missing}`);

describe.skipIf(missing !== undefined)("content that travels between any two backends", () => {
  let all: TripPlaces;
  beforeAll(async () => {
    all = await openTripPlaces();
  });
  afterAll(() => all[Symbol.asyncDispose]());

  for (const content of smallContents()) {
    // A deep DAG is asked for level by level, eight times.
    const options = { timeout: 300_000 };
    it(`stays the same, byte for byte, for other tools too: ${content.name}`, options, async () => {
      const { places, judge } = all;
      const expected = await digestBefore(content, judge);
      const taking = placesFor(content, places);
      const legs = await Array.fromAsync(takeTrip(content, everyPair(taking), judge));
      const pairs = taking.length * (taking.length - 1);
      expect(new Set(legs.map(({ from, to }) => `${from} to ${to}`)).size).toBe(pairs);
      const isLimited = ["an empty file", "content that is in its CID"].includes(content.name);
      expect(taking.length).toBe(isLimited ? 4 : 5);
      for (const leg of legs) {
        expect(leg).toMatchObject({ confidence: "verified", digest: expected });
        expect(["dag", content.isFile ? "file" : "car"]).toContain(leg.copy.form);
      }
    });
  }
});
