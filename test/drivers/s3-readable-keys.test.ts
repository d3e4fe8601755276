import { assert, constantFrom, property, string, array } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseObjectKey } from "#drivers/s3/object-key.ts";
import { encodedKey, nameOfKey, readableKeys } from "#drivers/s3/readable-keys.ts";
import { storageName } from "#model/storage-name.ts";
import { sample } from "../conformance/sample-object.ts";

const { object } = sample(10);
const end = object.cid.slice(-12);

function keys(name: string | undefined, form: "file" | "car" = "file", prefix = "") {
  return readableKeys(prefix, name === undefined ? object : { ...object, name }, form);
}

function first(name: string): string | undefined {
  return keys(name)[0];
}

describe("keys for people", () => {
  it("are the name, then the name with the end of the CID, then the CID", () => {
    const marked = `photos/2026/a~${end}.jpg`;
    expect(keys("photos/2026/a.jpg")).toEqual(["photos/2026/a.jpg", marked, object.cid]);
    expect(keys("site", "car")).toEqual(["site.car", `site~${end}.car`, `${object.cid}.car`]);
    expect(keys(undefined, "file", "store/")).toEqual([`store/${object.cid}`]);
  });

  it("lead nowhere else, and show what is invisible", () => {
    expect(first("/a//b/")).toBe("a/b");
    expect(first("../../etc/./passwd")).toBe("%2E%2E/%2E%2E/etc/%2E/passwd");
    expect(first("a\\b\u0000\n100%")).toBe("a%5Cb%00%0A100%25");
    expect(first("gpj.\u202Eexe")).toBe("gpj.%E2%80%AEexe");
    expect(first(" a ")).toBe("%20a%20");
    expect(first("Größe/写真/👩‍🔬 [1].jpg")).toBe("Größe/写真/👩‍🔬 [1].jpg");
    expect(first("u\u0308")).toBe("\u00FC");
    expect(first("\uD800")).toBe("\uFFFD");
    expect(first("")).toBe(object.cid);
  });

  it("are never those of records, of named files or of another object", () => {
    const other = sample(11).object.cid;
    expect(keys(".thermocline/by-cid/x")[0]).toBe("%2Ethermocline/by-cid/x");
    expect(keys("named/snapshots/x")[0]).toBe("%6Eamed/snapshots/x");
    expect(keys(other)).toEqual([`${other}~${end}`, object.cid]);
    expect(keys(`${other}.car`)).toEqual([`${other}~${end}.car`, object.cid]);
  });

  it("are shortened where a service would not take them, and keep their ending", () => {
    const [long, plain] = keys(`a/${"ä".repeat(300)}.tar.gz`);
    expect(long).toMatch(new RegExp(`^a/ä+~${end}\\.gz$`));
    expect(plain).toBe(object.cid);
    expect(keys(`${"deep/".repeat(300)}x`)).toEqual([object.cid]);
  });

  it("fit everywhere, differ from object to object, and give the name back", () => {
    const part = string({ unit: "binary", maxLength: 40 });
    const odd = constantFrom("..", ".", "", "%41", "a\\b", "named", ".thermocline", "x.car");
    const forms = constantFrom("file" as const, "car" as const);
    assert(
      property(array(part, { maxLength: 6 }), odd, forms, (parts, last, form) => {
        const name = [...parts, last].join("/");
        const found = keys(name, form, "store/");
        for (const key of found) {
          expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1_000);
          expect(encodedKey(key).length).toBeLessThanOrEqual(1_500);
          expect(key.isWellFormed()).toBe(true);
          expect(key).toMatch(/^store\/(?!named\/|\.thermocline\/)/);
          expect(key).not.toMatch(/\p{Cc}|\\|\/\/|\/\.{1,2}(\/|$)|\/$/u);
          const owner = parseObjectKey("store/", key)?.cid;
          expect(owner ?? object.cid).toBe(object.cid);
        }
        expect(found.at(-1)).toContain(object.cid);
        const [best = ""] = found;
        const whole = name.toWellFormed().normalize("NFC").split("/").filter(Boolean).join("/");
        if (best.includes(end) || form === "car") return;
        expect(nameOfKey("store/", best, object.cid, form)).toBe(whole);
      }),
      { numRuns: 100 },
    );
  });
});

describe("what an object is called", () => {
  it("is its path, below its collection", () => {
    expect(storageName({ collection: null, path: "/a/b" })).toBe("a/b");
    expect(storageName({ collection: "family", path: "/a/b" })).toBe("family/a/b");
    expect(storageName({ collection: "photos", path: "/photos/b" })).toBe("photos/b");
    expect(storageName({ collection: "photos", path: "/photos" })).toBe("photos/photos");
    expect(storageName({ collection: "photos", path: null })).toBeUndefined();
    expect(storageName({ collection: null, path: "///" })).toBeUndefined();
  });
});
