import { createHash, randomBytes } from "node:crypto";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { addressBytes } from "#content/address-file.ts";
import { defaultProfile } from "#content/profile.ts";
import { forEachObject } from "#jobs/for-each-object.ts";
import { defaultStepSettings } from "#jobs/step-context.ts";
import type { Comparison, Sides } from "./compare-sides.ts";
import { copyInSteps } from "./copy-step.ts";
import type { Servers } from "./servers.ts";
import { type PlainPlace, smallPlaces, type SmallPlace } from "./small-places.ts";

const smallBytes = 4_096;

/** A small file, as it is stored first. */
interface SmallFile {
  readonly object: ObjectRef;
  readonly bytes: Uint8Array;
}

/** Many small files from every kind of storage to every other. */
export function smallObjects(servers: Servers, count: number): readonly Comparison[] {
  const places = smallPlaces(servers);
  return places.flatMap((from) =>
    places
      .filter((to) => to !== from)
      .map((to) => ({
        what: `small files, ${from.name} to ${to.name}`,
        begin: () => sidesOf(servers, count, from, to),
      })),
  );
}

async function sidesOf(
  servers: Servers,
  count: number,
  from: SmallPlace,
  to: SmallPlace,
): Promise<Sides> {
  const files = Array.from({ length: count }, () => smallFile());
  const objects = files.map(({ object }) => object);
  const [source, plainSource] = [await from.open(), await from.openPlain()];
  await storeAll(servers, files, source.driver);
  await atOnce(files, ({ object, bytes }) => plainSource.put(object.cid, bytes));
  let target = await to.open();
  let plainTarget = await to.openPlain();
  const clear = async () => {
    await plainTarget.clear();
    plainTarget = await to.openPlain();
  };
  return {
    ours: {
      run: () => copyInSteps(objects, source.driver, target.driver),
      clear: async () => {
        await target.clear();
        target = await to.open();
      },
    },
    peers: [
      {
        name: "a loop with the clients of the services",
        run: () => atOnce(objects, ({ cid }) => copyPlain(cid, plainSource, plainTarget)),
        clear,
      },
      {
        name: "the same, hashed, read back and hashed",
        run: () => atOnce(objects, ({ cid }) => copyChecked(cid, plainSource, plainTarget)),
        clear,
      },
    ],
    end: async () => {
      for (const one of [source, plainSource, target, plainTarget]) await one.clear();
    },
  };
}

function smallFile(): SmallFile {
  const bytes = randomBytes(smallBytes);
  return { bytes, object: { ...addressBytes(bytes, defaultProfile), profile: defaultProfile } };
}

/** Brings files to where our side begins, by way of a store. */
async function storeAll(
  { stores }: Servers,
  files: readonly SmallFile[],
  source: Driver,
): Promise<void> {
  for (const { bytes } of files) await stores.put("small", bytes);
  const first = await stores.driver("small");
  await copyInSteps(
    files.map(({ object }) => object),
    first,
    source,
  );
}

async function copyPlain(cid: string, source: PlainPlace, target: PlainPlace): Promise<void> {
  await target.put(cid, await source.get(cid));
}

async function copyChecked(cid: string, source: PlainPlace, target: PlainPlace): Promise<void> {
  const bytes = await source.get(cid);
  const sent = createHash("sha256").update(bytes).digest();
  await target.put(cid, bytes);
  const stored = createHash("sha256")
    .update(await target.get(cid))
    .digest();
  if (!sent.equals(stored)) throw new Error(`${cid} is not what was sent`);
}

/** As many at a time as a step has. */
function atOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>) {
  const { signal } = new AbortController();
  return forEachObject(items, defaultStepSettings.objectsAtOnce, signal, async (item) => {
    await work(item);
  });
}
