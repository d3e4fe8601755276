// Copies between storage of different kinds against other programs that do the same: the S3 SDK's
// own upload, Kubo's command line, bare hashing. Both sides of each line in one run, in turn;
// medians of the rounds. Times of the processor are those of the client (here, and the programs it
// started) and of the servers. Needs the servers of `npm run services`.
//   node bench/transfers.ts [--large SIZE] [--small COUNT] [--rounds N] [--only WORD]… [--json]
import { loadavg } from "node:os";
import { formatSize, parseSize } from "#model/quantity.ts";
import { closeOnSignal } from "../scripts/close-on-signal.ts";
import { refuse, scriptOptions } from "../scripts/script-options.ts";
import { tripPlacesMissing } from "../test/round-trips/trip-places.ts";
import { carExport } from "./transfers/car-export.ts";
import { compareSides, type Comparison, type Result } from "./transfers/compare-sides.ts";
import { formatResult } from "./transfers/format-result.ts";
import { largeObject } from "./transfers/large-object.ts";
import { openServers } from "./transfers/servers.ts";
import { smallObjects } from "./transfers/small-objects.ts";

const usage =
  "transfers [--large SIZE] [--small COUNT] [--rounds N] [--only WORD]... [--json]\n" +
  "       WORD is part of what is measured, such as `kubo to local` or `CAR`";
const values = scriptOptions(usage, {
  large: { type: "string", default: "1GiB" },
  small: { type: "string", default: "10000" },
  rounds: { type: "string", default: "3" },
  only: { type: "string", multiple: true, default: [] },
  json: { type: "boolean", default: false },
});
const missing = tripPlacesMissing();
if (missing !== undefined) {
  console.error(`error: ${missing}`);
  process.exit(1);
}
const sizes = readSizes();
const results: Result[] = [];
const opening = openServers();
closeOnSignal(opening);
await using servers = await opening;
await measure(`one file of ${formatSize(sizes.large)}`, largeObject(servers, sizes.large));
await measure(`${sizes.small} files of 4 KiB`, smallObjects(servers, sizes.small));
await measure(`${formatSize(sizes.large)} as a CAR`, carExport(servers, sizes.large));
if (values.json) console.log(JSON.stringify({ schemaVersion: 1, load: loadavg(), results }));

/** Each part makes what it needs when its turn comes, and not at all when nobody wants it. */
async function measure(title: string, comparisons: readonly Comparison[]): Promise<void> {
  const { only, json } = values;
  const wanted = comparisons.filter(
    ({ what }) => only.length === 0 || only.some((word) => what.includes(word)),
  );
  for (const one of wanted) {
    const result = await compareSides(one, servers.pids, sizes.rounds);
    results.push(result);
    if (json) continue;
    console.log(`${title}, ${counted(sizes.rounds)}, load ${load()}\n${formatResult(result)}`);
  }
}

function counted(rounds: number): string {
  return rounds === 1 ? "one round" : `${rounds} rounds`;
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

function readSizes() {
  const [small, rounds] = [Number(values.small), Number(values.rounds)];
  if (![small, rounds].every((count) => Number.isSafeInteger(count) && count > 0)) refuse(usage);
  try {
    return { large: parseSize(values.large), small, rounds };
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    return refuse(usage);
  }
}
