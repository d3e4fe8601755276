import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { addressFile } from "#content/address-file.ts";
import { convertForm } from "#content/convert-form.ts";
import { fileToCar } from "#content/file-to-car.ts";
import { readStoredFile } from "#drivers/local/read-file.ts";
import { exportObjectsCar } from "#engine/callers/export-objects-car.ts";
import type { ContentReader } from "#engine/callers/fetching.ts";
import { addOptions, emptyNode, ipfs, ipfsToFile } from "./by-ipfs.ts";
import { sha256Of } from "./by-sdk.ts";
import type { Comparison } from "./compare-sides.ts";
import { type LargeFile, storeLargeFile } from "./copying.ts";
import type { Servers } from "./servers.ts";

/** From a file to its CID, to a CAR, and to a CAR that is exported with every block checked. */
export function carExport(servers: Servers, bytes: number): readonly Comparison[] {
  const file = () => storeLargeFile(servers, bytes);
  return [
    { what: "the CID of a file", begin: async () => addressing(await file()) },
    { what: "a file to a CAR", begin: async () => writing(servers, await file()) },
    { what: "export-car of an object", begin: async () => await exporting(servers, await file()) },
  ];
}

function addressing({ object, path }: LargeFile) {
  return {
    ours: { run: () => addressFile(readStoredFile(path), object.profile) },
    peers: [{ name: "SHA-256 of the file", run: () => sha256Of(path), goal: 1.11 }],
  };
}

function writing({ stores }: Servers, { object, path }: LargeFile) {
  const car = join(stores.folder, "written.car");
  return {
    ours: {
      run: () => pipeline(fileToCar(readStoredFile(path), object), createWriteStream(car)),
      clear: () => rm(car),
    },
    peers: [{ name: "SHA-256 of the file", run: () => sha256Of(path), goal: 2.2 }],
  };
}

async function exporting({ stores, peerNode }: Servers, file: LargeFile) {
  const { object, path } = file;
  await ipfs(peerNode, "add", ...addOptions, path);
  const output = join(stores.folder, "exported.car");
  const clear = () => rm(output);
  const request = { output, from: undefined, path: undefined, depth: undefined };
  return {
    ours: {
      run: async () => {
        const references = one(object.cid);
        await exportObjectsCar(readerOf(file), { ...request, references }, work());
      },
      clear,
    },
    peers: [
      { name: "SHA-256 of the file", run: () => sha256Of(path) },
      {
        name: "ipfs dag export to a file",
        run: () => ipfsToFile(peerNode, output, "dag", "export", "--progress=false", object.cid),
        clear,
      },
    ],
    end: () => emptyNode(peerNode),
  };
}

async function* one(reference: string): AsyncGenerator<string> {
  yield await Promise.resolve(reference);
}

function problem(message: string): void {
  throw new Error(message);
}

function work() {
  const { signal } = new AbortController();
  return { signal, done: 0, bytes: 0, bytesTotal: undefined, problem };
}

/** What the engine hands out of a copy, without its index. */
function readerOf({ object, source }: LargeFile): ContentReader {
  const { backend, driver, copy } = source;
  const held = { backend, tier: "hot", form: copy.form, confidence: "verified" } as const;
  return {
    backends: () => Promise.resolve([]),
    objectSources: () =>
      Promise.resolve({ ...object, type: undefined, names: [], sources: [held], damaged: [] }),
    readObject: async function* ({ form }) {
      yield* convertForm(await driver.read(object, copy), copy.form, form, object);
    },
  };
}
