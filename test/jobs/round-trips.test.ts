import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestBefore, everyPair, takeTrip } from "../round-trips/take-trip.ts";
import { smallContents } from "../round-trips/trip-content.ts";
import { openTripPlaces, type TripPlaces, tripPlacesMissing } from "../round-trips/trip-places.ts";

const missing = tripPlacesMissing();
if (missing !== undefined) console.error(`skipped: round trips: ${missing}`);

describe.skipIf(missing !== undefined)("content that travels between any two backends", () => {
  let all: TripPlaces;
  beforeAll(async () => {
    all = await openTripPlaces();
  });
  afterAll(() => all[Symbol.asyncDispose]());

  for (const content of smallContents()) {
    it(`stays the same, byte for byte, for other tools too: ${content.name}`, async () => {
      const { places, judge } = all;
      const expected = await digestBefore(content, judge);
      const legs = await Array.fromAsync(takeTrip(content, everyPair(places), judge));
      expect(new Set(legs.map(({ from, to }) => `${from} to ${to}`)).size).toBe(12);
      for (const leg of legs) {
        expect(leg).toMatchObject({ confidence: "verified", digest: expected });
        expect(["dag", content.isFile ? "file" : "car"]).toContain(leg.copy.form);
      }
    });
  }
});
