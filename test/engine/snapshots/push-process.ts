// Pushes the newest snapshot, and says so after each part: <folder of snapshots> <folder of store>.
import { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import { pushSnapshot } from "#engine/snapshots/push-snapshot.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import local from "#drivers/local/local.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";

const [directory = "", folder = ""] = process.argv.slice(2);
const driver = await local.open({
  backend: "far",
  options: local.options.parse({ path: folder }),
  capacityBytes: undefined,
  secret: () => Promise.reject(new Error("no secret is needed")),
});
const files = requireNamedFiles(driver, "far");
const telling = new Proxy(files, {
  get: (target, name) => {
    const value: unknown = Reflect.get(target, name);
    if (typeof value !== "function") return value;
    return async (...args: unknown[]) => {
      const result: unknown = await Reflect.apply(value, target, args);
      if (name === "writeNamed") console.log(args[0]);
      return result;
    };
  },
});
await pushSnapshot(new SnapshotStore(directory), new RemoteSnapshots("far", telling), {
  snapshot: "newest",
});
