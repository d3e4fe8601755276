import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import * as digests from "multiformats/hashes/digest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BlockFile } from "#content/block-file.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { dagCborCode, parseCid, rawCid, rawCode, sha256Digest } from "#content/cid.ts";
import { carOfDag, surveyDag } from "#content/walk-dag.ts";
import { importObjectsCar } from "#engine/callers/import-objects-car.ts";
import { prepareDirectory } from "#engine/callers/prepare-directory.ts";
import { type KuboNode, kuboMissing, startKubo } from "../../services/kubo.ts";
import { newWork } from "./content-engine.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);

describe.skipIf(missing !== undefined)("CARs and a real IPFS node", () => {
  let node: KuboNode;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "thermocline-cars-"));
    node = await startKubo();
  });
  afterAll(async () => {
    await node.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function importInto(car: Uint8Array): Promise<void> {
    const body = new FormData();
    body.set("file", new Blob([Buffer.from(car)]));
    const answer = await node.ask("dag/import?pin-roots=true", { body });
    expect(answer).not.toMatch(/"PinErrorMsg":"[^"]/);
  }

  async function exportFrom(cid: string): Promise<Buffer> {
    const answer = await fetch(`${node.rpc}/api/v0/dag/export?arg=${cid}`, { method: "POST" });
    return Buffer.from(await answer.arrayBuffer());
  }

  /** What we make of a CAR of Kubo's, after its blocks were taken apart. */
  async function writtenByUs(name: string, car: Uint8Array, cid: string): Promise<Buffer> {
    const path = join(folder, name);
    await writeFile(path, car);
    const { blocks, roots } = await BlockFile.ofCar(path);
    await using _ = blocks;
    expect(roots.map(String)).toEqual([cid]);
    expect(await surveyDag(blocks, parseCid(cid))).toMatchObject({ missing: 0 });
    return await buffer(carOfDag(blocks, roots));
  }

  async function makeTree(name: string): Promise<string> {
    const tree = join(folder, name);
    await mkdir(join(tree, "deep/er"), { recursive: true });
    await mkdir(join(tree, "empty"));
    const bytes = randomBytes(2_300_000);
    await writeFile(join(tree, "big.bin"), bytes);
    await writeFile(join(tree, "deep/again.bin"), bytes);
    await writeFile(join(tree, "deep/er/zeros"), Buffer.alloc(3 * 1024 * 1024));
    await writeFile(join(tree, "é ü.txt"), "text");
    return tree;
  }

  test.for(["unixfs-v1-2025", "unixfs-v0-2015"])(
    "a directory under %s is read by Kubo, whose export is ours byte for byte",
    async (profile) => {
      const tree = await makeTree(profile);
      await using content = await prepareDirectory(tree, { profile, work: newWork() });
      const { cid } = content.object;
      await importInto(await buffer(content.open()));
      const theirs = await exportFrom(cid);
      expect(await writtenByUs(`${profile}.car`, theirs, cid)).toEqual(theirs);
    },
  );

  test("a directory has the CID that Kubo gives it, also when it is spread over nodes", async () => {
    const tree = join(folder, "wide");
    await mkdir(tree);
    const body = new FormData();
    const names = Array.from({ length: 1_300 }, (_, number) => `${number}-${"name".repeat(48)}`);
    for (const name of names) {
      await writeFile(join(tree, name), "x");
      body.append("file", new Blob(["x"]), encodeURIComponent(name));
    }
    const settings = "cid-version=1&raw-leaves=true&chunker=size-1048576&max-file-links=1024";
    const ask = `add?${settings}&wrap-with-directory=true&quieter=true`;
    const lines = (await node.ask(ask, { body })).trim().split("\n");
    const theirs = JSON.parse(lines.at(-1) ?? "") as { readonly Hash: string };
    const options = { profile: "unixfs-v1-2025", work: newWork() };
    await using content = await prepareDirectory(tree, options);
    expect(content.object.cid).toBe(theirs.Hash);
  });

  test.for([
    ["size-1048576&max-file-links=1024", "unixfs-v1-2025"],
    ["size-262144", "unknown"],
    ["rabin", "unknown"],
  ])("a file that Kubo cut by %s is said to be of the profile %s", async ([chunker, profile]) => {
    const body = new FormData();
    body.append("file", new Blob([randomBytes(2_300_000)]));
    const settings = `cid-version=1&raw-leaves=true&quieter=true&chunker=${chunker}`;
    const { Hash: cid } = JSON.parse(await node.ask(`add?${settings}`, { body })) as AddedFile;
    const file = join(folder, "cut.car");
    await writeFile(file, await exportFrom(cid));
    const request = { file, names: [], facts: {}, api: undefined };
    expect(await importObjectsCar(request, newWork())).toMatchObject([
      { cid, size: 2_300_000, profile },
    ]);
  });

  test("dag-cbor with links of all kinds, identity ones too, is exported as Kubo does", async () => {
    const leaf = Buffer.from("leaf");
    const leafCid = rawCid(leaf);
    const inline = CID.createV1(rawCode, digests.create(0, Buffer.from("inline")));
    const bytes = encode({ list: [leafCid, inline, leafCid], map: { z: leafCid } });
    const root = CID.createV1(dagCborCode, sha256Digest(bytes));
    const car = Buffer.concat([
      carHeader(root),
      carSectionHead(leafCid, [leaf]),
      leaf,
      carSectionHead(root, [bytes]),
      bytes,
    ]);
    await importInto(car);
    const theirs = await exportFrom(root.toString());
    expect(await writtenByUs("cbor.car", theirs, root.toString())).toEqual(theirs);
    expect(await readFile(join(folder, "cbor.car"))).toEqual(theirs);
  });
});

interface AddedFile {
  readonly Hash: string;
}
