// Works on an index until it is killed: <index file> <folder of snapshots> <kind of work>.
import { rawCid } from "#content/cid.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { NewObject } from "#model/index-store.ts";
import type { IndexWork } from "./index-work.ts";

const objectsAtOnce = 2_000;
const [path = "", folder = "", kind = "commit"] = process.argv.slice(2);
let round = 0;

let objects = 0;
// Opening brings an index of an older form up to date.
tell("opening");
let index = await ObjectIndex.open(path, { threads: 2 });
tell("open");
({ objects } = await index.totals(1));
const work: Readonly<Record<IndexWork, () => Promise<void>>> = {
  import: addObjects,
  commit: holdSome,
  snapshot: async () => {
    await holdSome();
    tell("snapshot");
    await takeSnapshot(index, new SnapshotStore(folder), { now: new Date(), partRows: 2_048 });
  },
  compact: async () => {
    await addObjects();
    await holdSome();
    // Closing folds the log into the file.
    tell("closing");
    await index.close();
    index = await ObjectIndex.open(path, { threads: 2 });
  },
  migrate: async () => {
    await index.close();
    process.exit();
  },
};
for (;;) {
  await work[kind as IndexWork]();
  round += 1;
}

/** One commit; what it says afterwards is what must be there from then on. */
async function addObjects(): Promise<void> {
  const now = new Date();
  const added = Array.from({ length: objectsAtOnce }, (_, at): NewObject => {
    const copy = { locator: "there", form: "file", bytes: 10 } as const;
    const checked = { state: "present", confidence: "verified", checkedAt: now } as const;
    return {
      cid: rawCid(Buffer.from(`object ${objects + at}`)).toString(),
      size: 10,
      profile: "raw-sha256",
      names: [`/work/${objects + at}`],
      tags: [],
      type: undefined,
      collection: undefined,
      owner: undefined,
      created: undefined,
      modified: undefined,
      copies: [{ backend: "hot", copy, ...checked }],
    };
  });
  await index.putObjects(added, now);
  objects += objectsAtOnce;
  tell("committed");
}

async function holdSome(): Promise<void> {
  const some = Array.from({ length: 500 }, (_, at) => (round * 300 + at) % objects);
  await index.hold(some, `round ${round}`, new Date());
  await index.release(some.slice(0, 250), new Date());
  tell("committed");
}

function tell(what: string): void {
  console.log(JSON.stringify({ what, objects }));
}
