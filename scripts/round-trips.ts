// Has large content travel between one backend of each kind (a local store, a bucket of versitygw,
// an IPFS node, an IPFS Cluster, a pinning service), looked at by other tools at each stop. Prints, for each leg, its
// time and its processor time in this process, and the most memory that this process held.
//   npm run round-trips -- [--file SIZE]… [--directory FILES]… [--each-once] [--json]
import { parseSize } from "#model/quantity.ts";
import { digestBefore, everyPair, placesFor, takeTrip } from "../test/round-trips/take-trip.ts";
import { directory, largeFile, type TripContent } from "../test/round-trips/trip-content.ts";
import { openTripPlaces, tripPlacesMissing } from "../test/round-trips/trip-places.ts";
import { closeOnSignal } from "./close-on-signal.ts";
import { refuse, scriptOptions } from "./script-options.ts";
import { watchMemory } from "./round-trips/watch-memory.ts";

const usage = "round-trips [--file SIZE]… [--directory FILES]… [--each-once] [--json]";
const values = scriptOptions(usage, {
  file: { type: "string", multiple: true, default: [] },
  directory: { type: "string", multiple: true, default: [] },
  /** Each backend once, in a circle; else every pair of them in both directions. */
  "each-once": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});
const missing = tripPlacesMissing();
if (missing !== undefined) {
  console.error(`error: ${missing}`);
  process.exit(1);
}
const contents = await readContents();
const opening = openTripPlaces();
closeOnSignal(opening);
await using all = await opening;
const { places, judge } = all;
const trips = [];
for (const content of contents) {
  say(content.name);
  const taking = placesFor(content, places);
  const tour = values["each-once"] ? [...taking, ...taking.slice(0, 1)] : everyPair(taking);
  const expected = await digestBefore(content, judge);
  using memory = watchMemory();
  const legs = [];
  for await (const { copy, confidence, digest, ...went } of takeTrip(content, tour, judge)) {
    const isSame = digest === expected && confidence === "verified";
    const { form, bytes } = copy;
    const leg = { ...went, form, bytes, isSame, peakBytes: memory.takePeak() };
    legs.push(leg);
    say(
      `  ${`${leg.from} to ${leg.to}`.padEnd(18)}${isSame ? "same" : "OTHER"}, ${leg.form}, ` +
        `${(leg.tookMs / 1_000).toFixed(1)} s, ${(leg.processorMs / 1_000).toFixed(1)} s of ` +
        `processor, at most ${Math.round(leg.peakBytes / 1024 ** 2)} MiB`,
    );
  }
  trips.push({ content: content.name, cid: content.object.cid, sha256: expected, legs });
}
if (values.json) console.log(JSON.stringify({ schemaVersion: 1, trips }, undefined, 2));
process.exitCode = trips.every(({ legs }) => legs.every(({ isSame }) => isSame)) ? 0 : 1;

async function readContents(): Promise<readonly TripContent[]> {
  const { file: sizes, directory: counts } = values;
  const counted = counts.map(Number);
  if (counted.some((files) => !Number.isSafeInteger(files) || files < 1)) refuse(usage);
  try {
    const files = await Promise.all(sizes.map((text) => largeFile(parseSize(text))));
    const directories = counted.map((files) => directory(`a directory of ${files} files`, files));
    if (files.length + directories.length === 0) refuse(usage);
    return [...files, ...directories];
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    return refuse(usage);
  }
}

function say(line: string): void {
  if (!values.json) console.log(line);
}
