import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { transfer } from "#jobs/transfer.ts";
import { permit } from "../../test/conformance/sample-object.ts";
import { addOptions, emptyNode, ipfs, ipfsOf, ipfsTo } from "./by-ipfs.ts";
import { download, hashInPassing, upload, uploadChecked, uploadFile } from "./by-sdk.ts";
import { copying, type LargeFile } from "./copying.ts";
import { openNewBucket, type Servers } from "./servers.ts";

/** From a bucket to an IPFS node: the SDK's stream into the command line of the node. */
export async function s3ToKubo(servers: Servers, { object, source, path }: LargeFile) {
  const { s3, sdk, kubo, ourNode, peerNode } = servers;
  const [{ driver }, { bucket }] = [await openNewBucket(s3), await openNewBucket(s3)];
  const { copy } = await transfer(object, source, { backend: "archive", driver });
  await uploadFile(sdk, bucket, path);
  const clear = () => emptyNode(peerNode);
  const add = async (bytes: Readable) => {
    const cid = await ipfsOf(peerNode, bytes, "add", ...addOptions);
    if (cid !== object.cid) throw new Error(`ipfs add gave ${cid}`);
  };
  return {
    ours: {
      ...copying(object, { backend: "archive", driver, copy }, "node", kubo),
      clear: () => emptyNode(ourNode),
    },
    peers: [
      {
        name: "the SDK's GetObject into ipfs add",
        run: async () => {
          await add(await download(sdk, bucket));
        },
        clear,
      },
      {
        name: "the same, hashed, ipfs cat and its hash",
        run: async () => {
          const { hashing, hash } = hashInPassing();
          await add((await download(sdk, bucket)).pipe(hashing));
          const stored = await hashOf(peerNode, object.cid);
          if (!hash.digest().equals(stored)) throw new Error("what arrived is not what was sent");
        },
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

/** From an IPFS node to a bucket: what its command line prints into the SDK's upload. */
export async function kuboToS3(servers: Servers, { object, source, path }: LargeFile) {
  const { s3, sdk, kubo, ourNode, peerNode } = servers;
  const [{ driver }, { bucket }] = [await openNewBucket(s3), await openNewBucket(s3)];
  const { copy } = await transfer(object, source, { backend: "node", driver: kubo });
  await ipfs(peerNode, "add", ...addOptions, path);
  const clear = () => rm(join(s3.folder, bucket, "object"));
  const cat = ["cat", "--progress=false", object.cid];
  return {
    ours: copying(object, { backend: "node", driver: kubo, copy }, "archive", driver),
    peers: [
      {
        name: "ipfs cat into the SDK's Upload",
        run: () => ipfsTo(peerNode, (bytes) => upload(sdk, bucket, bytes), ...cat),
        clear,
      },
      {
        name: "the same, hashed, read back and hashed",
        run: () => ipfsTo(peerNode, (bytes) => uploadChecked(sdk, bucket, bytes), ...cat),
        clear,
      },
    ],
    end: async () => {
      await driver.close();
      await Promise.all([emptyNode(ourNode), emptyNode(peerNode)]);
    },
  };
}

async function hashOf(node: Servers["peerNode"], cid: string): Promise<Buffer> {
  const hash = createHash("sha256");
  const update = async (bytes: AsyncIterable<Buffer>) => {
    for await (const piece of bytes) hash.update(piece);
  };
  await ipfsTo(node, update, "cat", "--progress=false", cid);
  return hash.digest();
}
