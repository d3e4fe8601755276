import { encode as encodeDagCbor } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import * as digests from "multiformats/hashes/digest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { parseCid, rawCid, sha256Digest } from "#content/cid.ts";
import { convertForm } from "#content/convert-form.ts";
import type { Form, ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { transfer } from "#jobs/transfer.ts";
import { openKubo } from "../drivers/kubo-place.ts";
import { collect, pieces, sample } from "../conformance/sample-object.ts";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { LocalStores } from "./local-stores.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);
const mebibyte = 1024 * 1024;

describe.skipIf(missing !== undefined)(
  "copies between files, CARs and the blocks of a node",
  () => {
    let node: KuboNode;
    let ipfs: Driver;
    let stores: LocalStores;

    beforeAll(async () => {
      [node, stores] = await Promise.all([startKubo(), LocalStores.open()]);
      ipfs = await openKubo(node, { backend: "ipfs" });
    });

    afterAll(async () => {
      await ipfs.close();
      await Promise.all([node.stop(), stores[Symbol.asyncDispose]()]);
    });

    /** From a store to the node, and from there to another store. */
    async function thereAndBack(object: ObjectRef, from: string, to: string) {
      const source = await stores.driver(from);
      const copy = await source.stat(object);
      if (copy === undefined) throw new Error(`${from} has no copy`);
      const there = await transfer(
        object,
        { backend: from, driver: source, copy },
        { backend: "ipfs", driver: ipfs },
      );
      expect(there).toMatchObject({ moved: true, copy: { form: "dag" } });
      expect(there.evidence).toMatchObject({ finding: "present", confidence: "verified" });
      const target = await stores.driver(to);
      const back = await transfer(
        object,
        { backend: "ipfs", driver: ipfs, copy: there.copy },
        { backend: to, driver: target },
      );
      expect(back.evidence).toMatchObject({ finding: "present", confidence: "verified" });
      const bytes = await collect(await target.read(object, back.copy));
      return { form: back.copy.form, bytes };
    }

    const files: readonly (readonly [string, number])[] = [
      ["an empty file", 0],
      ["one byte", 1],
      ["one chunk", mebibyte],
      ["one byte more than a chunk", mebibyte + 1],
      ["20 MiB", 20 * mebibyte],
    ];
    for (const [what, size] of files) {
      test(`${what} comes back from the node with the same CID, byte for byte`, async () => {
        const { bytes } = sample(size, 7);
        const { object } = await stores.put("files", bytes);
        const back = await thereAndBack(object, "files", "back");
        expect(back.form).toBe("file");
        expect(back.bytes.equals(bytes)).toBe(true);
        // The node's own reading of it, without us.
        const read = await fetch(`${node.rpc}/api/v0/cat?arg=${object.cid}`, { method: "POST" });
        expect(Buffer.from(await read.arrayBuffer()).equals(bytes)).toBe(true);
      });
    }

    test("the profile of older versions gives the CID that the node itself gives", async () => {
      const { bytes } = sample(600_000, 8);
      const { object } = await stores.put("files", bytes, "file", "unixfs-v0-2015");
      const back = await thereAndBack(object, "files", "back");
      expect(back.bytes.equals(bytes)).toBe(true);
      const body = new FormData();
      body.append("file", new Blob([bytes]));
      const added = await node.ask("add?cid-version=0&chunker=size-262144&only-hash=true", {
        body,
      });
      expect(JSON.parse(added)).toMatchObject({ Hash: object.cid });
      expect(object.cid).toMatch(/^Qm/);
    });

    test("a CAR becomes blocks, and a file that repeats its blocks comes out whole", async () => {
      const half = sample(2 * mebibyte, 9).bytes;
      const bytes = Buffer.concat([half, half, Buffer.alloc(3 * mebibyte), half]);
      const { object } = await stores.put("cars", bytes, "car");
      const back = await thereAndBack(object, "cars", "back");
      expect(back.form).toBe("file");
      expect(back.bytes.equals(bytes)).toBe(true);
    });

    test("a directory that the node made becomes a CAR elsewhere, and blocks again", async () => {
      const body = new FormData();
      for (const name of ["a.txt", "b.txt", "c.bin"]) {
        body.append("file", new Blob([`content of ${name}`]), `folder/${name}`);
      }
      const added = await node.ask("add?cid-version=1&pin=true", { body });
      const { Hash: cid } = JSON.parse(added.trim().split("\n").at(-1) ?? "") as { Hash: string };
      const listed = (await Array.fromAsync(ipfs.list())).find((entry) => entry.cid === cid);
      const object = { cid, size: listed?.size ?? 0, profile: "unixfs-v1-2025" };
      expect(object.size).toBeGreaterThan(0);
      if (listed === undefined) throw new Error("the node pins what it adds");
      const target = { backend: "folders", driver: await stores.driver("folders") };
      const source = { backend: "ipfs", driver: ipfs, copy: listed.copy };
      const kept = await transfer(object, source, target);
      expect(kept).toMatchObject({ copy: { form: "car" }, evidence: { finding: "present" } });
      await node.ask(`pin/rm?arg=${cid}`);
      await node.ask("repo/gc");
      const { form } = await thereAndBack(object, "folders", "folders");
      expect(form).toBe("car");
      expect(await node.ask(`cat?arg=${cid}/b.txt`)).toBe("content of b.txt");
    });

    test("data in dag-cbor with what it links travels as blocks and as a CAR", async () => {
      const leaf = Buffer.from("a leaf");
      const bytes = encodeDagCbor({ name: "root", parts: [rawCid(leaf), { again: rawCid(leaf) }] });
      const root = CID.createV1(0x71, sha256Digest(bytes));
      const car = carOf(root, [
        [root, bytes],
        [rawCid(leaf), leaf],
      ]);
      const object = { cid: root.toString(), size: bytes.length, profile: "unixfs-v1-2025" };
      const store = await stores.driver("data");
      await store.write(object, { form: "car", bytes: car.length, stream: pieces(car) });
      expect(await thereAndBack(object, "data", "data-back")).toMatchObject({ form: "car" });
      expect(JSON.parse(await node.ask(`dag/get?arg=${object.cid}`))).toMatchObject({
        name: "root",
      });
    });

    test("content that is in its CID travels as a CAR", async () => {
      const bytes = Buffer.from("within the name");
      const root = CID.createV1(0x55, digests.create(0, bytes));
      const car = carOf(root, [[root, bytes]]);
      const object = { cid: root.toString(), size: bytes.length, profile: "raw-sha256" };
      const stored = await ipfs.write(object, {
        form: "dag",
        bytes: undefined,
        stream: pieces(car),
      });
      expect(await ipfs.verify(object, "verified")).toMatchObject({ finding: "present" });
      expect(await contentAs("car", object, stored)).not.toHaveLength(0);
    });

    async function contentAs(form: Form, object: ObjectRef, copy: Parameters<Driver["read"]>[1]) {
      return await collect(convertForm(await ipfs.read(object, copy), "dag", form, object));
    }

    test("a root that is one raw block is stored as that block", async () => {
      const bytes = sample(1_500_000, 11).bytes;
      const { object } = await stores.put("files", bytes, "file", "raw-sha256");
      expect(object.cid).toBe(addressBytes(bytes, "raw-sha256").cid);
      expect(parseCid(object.cid).code).toBe(0x55);
      expect((await thereAndBack(object, "files", "back")).bytes.equals(bytes)).toBe(true);
    });
  },
);

function carOf(root: CID, blocks: readonly (readonly [CID, Uint8Array])[]): Buffer {
  const sections = blocks.flatMap(([cid, bytes]) => [carSectionHead(cid, [bytes]), bytes]);
  return Buffer.concat([carHeader(root), ...sections]);
}
