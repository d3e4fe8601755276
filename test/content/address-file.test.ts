import * as fc from "fast-check";
import { importer } from "ipfs-unixfs-importer";
import type { CID } from "multiformats/cid";
import { describe, expect, test } from "vitest";
import { addressBytes, addressFile } from "#content/address-file.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed, profiles, type Profile } from "#content/profile.ts";
import { cut, deterministicBytes, streamOf } from "./deterministic-bytes.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

describe("a small file gets the CID that Kubo gives it", () => {
  test.each([
    // Kubo test/cli/cid_profiles_test.go; the empty files and "hello world\n" are well known.
    ["unixfs-v1-2025", "", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"],
    [
      "unixfs-v1-2025",
      "hello world",
      "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
    ],
    [
      "unixfs-v1-2025",
      "hello world\n",
      "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4",
    ],
    ["unixfs-v0-2015", "", "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"],
    ["unixfs-v0-2015", "hello world", "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD"],
    ["unixfs-v0-2015", "hello world\n", "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"],
    ["raw-sha256", "hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"],
  ])("%s %j", async (profile, text, cid) => {
    const bytes = Buffer.from(text);
    expect(addressBytes(bytes, profile)).toEqual({ cid, size: bytes.length });
    expect(await addressFile(streamOf([bytes]), profile)).toEqual({ cid, size: bytes.length });
  });
});

describe("a large file gets the CID of the published IPIP-499 vectors", () => {
  test.each([
    // Kubo test/cli/cid_profiles_test.go and js-ipfs-unixfs ipip-499-profiles.spec.ts.
    [
      "unixfs-v1-2025",
      "chunk-v1-seed",
      MiB,
      "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta",
    ],
    [
      "unixfs-v1-2025",
      "chunk-v1-seed",
      MiB + 1,
      "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64",
    ],
    [
      "unixfs-v0-2015",
      "v0-seed",
      174 * 256 * KiB,
      "QmUbBALi174SnogsUzLpYbD4xPiBSFANF4iztWCsHbMKh2",
    ],
    [
      "unixfs-v0-2015",
      "v0-seed",
      175 * 256 * KiB,
      "QmepeWtdmS1hHXx1oZXsPUv6bMrfRRKfZcoPPU4eEfjnbf",
    ],
  ])("%s %s %i bytes", async (profile, seed, size, cid) => {
    const stream = streamOf(deterministicBytes(size, seed));
    expect(await addressFile(stream, profile)).toEqual({ cid, size });
  });

  test("unixfs-v1-2025 at and over the 1,024 links of one node (1 GiB)", () => {
    const profile = profileNamed("unixfs-v1-2025");
    const [full, byteMore, chunkMore] = [1, 2, 3].map(() => new FileHasher(profile));
    let seen = 0;
    for (const piece of deterministicBytes(1025 * MiB, "v1-2025-seed")) {
      if (seen < 1024 * MiB) full?.update(piece);
      if (seen <= 1024 * MiB) byteMore?.update(seen < 1024 * MiB ? piece : piece.subarray(0, 1));
      chunkMore?.update(piece);
      seen += piece.length;
    }
    expect([full, byteMore, chunkMore].map((hasher) => hasher?.finish().cid)).toEqual([
      "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm",
      "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe",
      "bafybeihmzokxxjqwxjcryerhp5ezpcog2wcawfryb2xm64xiakgm4a5jue",
    ]);
  });
});

test("any tree shape is the one that the reference importer builds", async () => {
  const shapes = fc.record({
    bytes: fc.uint8Array({ maxLength: 2_000 }),
    chunkBytes: fc.integer({ min: 1, max: 90 }),
    width: fc.integer({ min: 2, max: 7 }),
    leaves: fc.constantFrom("raw" as const, "dag-pb" as const),
    cidVersion: fc.constantFrom(0 as const, 1 as const),
    pieceBytes: fc.integer({ min: 1, max: 300 }),
  });
  await fc.assert(
    fc.asyncProperty(shapes, async ({ bytes, pieceBytes, ...shape }) => {
      const profile: Profile = { name: "any", summary: "", hash: "sha2-256", ...shape };
      const hasher = new FileHasher(profile);
      for (const piece of cut(bytes, pieceBytes)) hasher.update(piece);
      expect(hasher.finish().cid).toBe(await referenceCid(bytes, profile));
    }),
    { numRuns: 150 },
  );
});

test("the address does not depend on how the stream is cut", async () => {
  const bytes = Buffer.concat([...deterministicBytes(2.5 * MiB, "cut")]);
  for (const profile of profiles) {
    const whole = addressBytes(bytes, profile.name);
    for (const pieceBytes of [64 * KiB, 100_003, MiB, 3 * MiB]) {
      expect(await addressFile(streamOf(cut(bytes, pieceBytes)), profile.name)).toEqual(whole);
    }
  }
});

test("an unknown profile is refused with the names of the known ones", async () => {
  await expect(addressFile(streamOf([]), "unixfs-v9")).rejects.toMatchObject({
    code: "NOT_SUPPORTED",
    hint: expect.stringContaining("unixfs-v1-2025") as string,
  });
});

async function referenceCid(bytes: Uint8Array, profile: Profile): Promise<string> {
  const { fixedSize } = await import("ipfs-unixfs-importer/chunker");
  const { balanced } = await import("ipfs-unixfs-importer/layout");
  const blocks = { put: (cid: CID) => Promise.resolve(cid) };
  const results = importer([{ content: bytes }], blocks, {
    chunker: fixedSize({ chunkSize: profile.chunkBytes }),
    layout: balanced({ maxChildrenPerNode: profile.width }),
    rawLeaves: profile.leaves === "raw",
    cidVersion: profile.cidVersion,
    reduceSingleLeafToSelf: true,
  });
  let root = "";
  for await (const result of results) root = result.cid.toString();
  return root;
}
