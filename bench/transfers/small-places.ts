import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { create } from "kubo-rpc-client";
import { CID } from "multiformats/cid";
import type { Driver } from "#model/driver.ts";
import { emptyNode } from "./by-ipfs.ts";
import { openNewBucket, type Servers } from "./servers.ts";

/** A kind of storage, for both sides. */
export interface SmallPlace {
  readonly name: string;
  /** Opens an empty one with our driver. */
  open(): Promise<{ readonly driver: Driver } & Clearable>;
  /** Opens an empty one with the client that people would use for the service. */
  openPlain(): Promise<PlainPlace>;
}

/** What one writes with a client of the service, a file at a time. */
export interface PlainPlace extends Clearable {
  get(cid: string): Promise<Uint8Array>;
  put(cid: string, bytes: Uint8Array): Promise<unknown>;
}

interface Clearable {
  clear(): Promise<unknown>;
}

/** One of each kind. */
export function smallPlaces(servers: Servers): readonly SmallPlace[] {
  return [localPlace(servers), s3Place(servers), kuboPlace(servers)];
}

function localPlace({ stores }: Servers): SmallPlace {
  return {
    name: "local",
    open: async () => {
      const name = randomUUID();
      const clear = () => rm(join(stores.folder, name), { recursive: true });
      return { driver: await stores.driver(name), clear };
    },
    openPlain: async () => {
      const folder = join(stores.folder, randomUUID());
      await mkdir(folder);
      return {
        get: (cid) => readFile(join(folder, cid)),
        put: (cid, bytes) => writeFile(join(folder, cid), bytes),
        clear: () => rm(folder, { recursive: true }),
      };
    },
  };
}

function s3Place({ s3, sdk }: Servers): SmallPlace {
  const removing = (bucket: string) => rm(join(s3.folder, bucket), { recursive: true });
  return {
    name: "s3",
    open: async () => {
      const { driver, bucket } = await openNewBucket(s3);
      const clear = async () => {
        await driver.close();
        await removing(bucket);
      };
      return { driver, clear };
    },
    openPlain: async () => {
      const { driver, bucket: Bucket } = await openNewBucket(s3);
      await driver.close();
      return {
        get: async (Key) => {
          const { Body } = await sdk.send(new GetObjectCommand({ Bucket, Key }));
          return (await Body?.transformToByteArray()) ?? new Uint8Array();
        },
        put: (Key, Body) => sdk.send(new PutObjectCommand({ Bucket, Key, Body })),
        clear: () => removing(Bucket),
      };
    },
  };
}

function kuboPlace({ kubo, ourNode, peerNode }: Servers): SmallPlace {
  return {
    name: "kubo",
    open: () => Promise.resolve({ driver: kubo, clear: () => emptyNode(ourNode) }),
    openPlain: () => {
      const client = create({ url: peerNode.rpc });
      return Promise.resolve({
        get: async (cid) => Buffer.concat(await Array.fromAsync(client.cat(CID.parse(cid)))),
        put: (_cid, bytes) => client.add(bytes, { cidVersion: 1, rawLeaves: true, pin: true }),
        clear: () => emptyNode(peerNode),
      });
    },
  };
}
