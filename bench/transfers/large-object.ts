import { rm } from "node:fs/promises";
import { join } from "node:path";
import { transfer } from "#jobs/transfer.ts";
import { permit } from "../../test/conformance/sample-object.ts";
import { addOptions, emptyNode, ipfs, ipfsToFile } from "./by-ipfs.ts";
import {
  downloadFile,
  downloadFileChecked,
  sha256Of,
  uploadFile,
  uploadFileChecked,
} from "./by-sdk.ts";
import type { Comparison } from "./compare-sides.ts";
import { kuboToS3, s3ToKubo } from "./between-services.ts";
import { copying, type LargeFile, storeLargeFile } from "./copying.ts";
import { openNewBucket, type Servers } from "./servers.ts";

/** One large file between a store, a bucket and an IPFS node, each way. */
export function largeObject(servers: Servers, bytes: number): readonly Comparison[] {
  const file = () => storeLargeFile(servers, bytes);
  return [
    { what: "local to s3", begin: async () => await localToS3(servers, await file()) },
    { what: "s3 to local", begin: async () => await s3ToLocal(servers, await file()) },
    { what: "local to kubo", begin: async () => await localToKubo(servers, await file()) },
    { what: "kubo to local", begin: async () => await kuboToLocal(servers, await file()) },
    { what: "s3 to kubo", begin: async () => await s3ToKubo(servers, await file()) },
    { what: "kubo to s3", begin: async () => await kuboToS3(servers, await file()) },
  ];
}

async function localToS3({ s3, sdk }: Servers, { object, source, path }: LargeFile) {
  const [{ driver }, { bucket }] = [await openNewBucket(s3), await openNewBucket(s3)];
  const emptyBucket = () => rm(join(s3.folder, bucket, "object"));
  return {
    ours: copying(object, source, "archive", driver),
    peers: [
      {
        name: "the SDK's Upload of the file",
        run: () => uploadFile(sdk, bucket, path),
        clear: emptyBucket,
      },
      {
        name: "the same, hashed, read back and hashed",
        run: () => uploadFileChecked(sdk, bucket, path),
        clear: emptyBucket,
      },
    ],
    end: () => driver.close(),
  };
}

async function s3ToLocal({ s3, sdk, stores }: Servers, { object, source, path }: LargeFile) {
  const [{ driver }, { bucket }] = [await openNewBucket(s3), await openNewBucket(s3)];
  const { copy } = await transfer(object, source, { backend: "archive", driver });
  await uploadFile(sdk, bucket, path);
  const download = join(stores.folder, "downloaded");
  const clear = () => rm(download);
  const target = await stores.driver("downloads");
  return {
    ours: copying(object, { backend: "archive", driver, copy }, "downloads", target),
    peers: [
      {
        name: "the SDK's GetObject to a file",
        run: () => downloadFile(sdk, bucket, download),
        clear,
      },
      {
        name: "the same, hashed, read back and hashed",
        run: () => downloadFileChecked(sdk, bucket, download),
        clear,
      },
    ],
    end: async () => {
      await driver.remove(object, permit(object, "archive"));
      await driver.close();
      await rm(join(s3.folder, bucket, "object"));
    },
  };
}

async function localToKubo(servers: Servers, { object, source, path }: LargeFile) {
  const { stores, kubo, ourNode, peerNode } = servers;
  const clear = () => emptyNode(peerNode);
  const add = async () => {
    const cid = await ipfs(peerNode, "add", ...addOptions, path);
    if (cid !== object.cid) throw new Error(`ipfs add gave ${cid}`);
  };
  const car = join(stores.folder, "large.car");
  await add();
  await ipfsToFile(peerNode, car, "dag", "export", "--progress=false", object.cid);
  await clear();
  const exported = join(stores.folder, "exported.car");
  return {
    ours: {
      ...copying(object, source, "node", kubo),
      clear: () => emptyNode(ourNode),
    },
    peers: [
      { name: "ipfs add", run: add, clear },
      {
        name: "ipfs dag import of a CAR that is there",
        run: () => ipfs(peerNode, "dag", "import", car),
        clear,
      },
      {
        name: "ipfs add, dag export to a file, and its hash",
        run: async () => {
          await add();
          await ipfsToFile(peerNode, exported, "dag", "export", "--progress=false", object.cid);
          await sha256Of(exported);
        },
        clear: async () => {
          await clear();
          await rm(exported);
        },
      },
    ],
    end: () => rm(car),
  };
}

async function kuboToLocal(servers: Servers, { object, source, path }: LargeFile) {
  const { stores, kubo, ourNode, peerNode } = servers;
  const { copy } = await transfer(object, source, { backend: "node", driver: kubo });
  await ipfs(peerNode, "add", ...addOptions, path);
  const download = join(stores.folder, "downloaded");
  const clear = () => rm(download);
  const read = () => ipfsToFile(peerNode, download, "cat", "--progress=false", object.cid);
  const target = await stores.driver("downloads");
  return {
    ours: copying(object, { backend: "node", driver: kubo, copy }, "downloads", target),
    peers: [
      { name: "ipfs cat to a file", run: read, clear },
      {
        name: "ipfs dag export to a file",
        run: () => ipfsToFile(peerNode, download, "dag", "export", "--progress=false", object.cid),
        clear,
      },
      {
        name: "ipfs cat to a file, and its hash",
        run: async () => {
          await read();
          await sha256Of(download);
        },
        clear,
      },
    ],
    end: () => Promise.all([emptyNode(ourNode), emptyNode(peerNode)]),
  };
}
