import { describe, expect, it } from "vitest";
import { s3Options } from "#drivers/s3/s3-options.ts";

const bucket = "example-archive";

describe("the options of an s3 backend", () => {
  it("read sizes with units and end the prefix with a slash", () => {
    const options = s3Options.parse({ bucket, prefix: "a/b", partSize: "16MiB" });
    expect(options).toMatchObject({ prefix: "a/b/", partSize: 16 * 1024 * 1024 });
    expect(s3Options.parse({ bucket })).toMatchObject({ prefix: "", partSize: 8 * 1024 * 1024 });
  });

  it("take no secret that is written out", () => {
    const written = s3Options.safeParse({
      bucket,
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "written-out-in-the-file",
    });
    expect(written.success).toBe(false);
    expect(JSON.stringify(written.error?.issues)).not.toContain("written-out");
  });

  it("want a key id and a secret together", () => {
    expect(s3Options.safeParse({ bucket, accessKeyId: "env:KEY" }).success).toBe(false);
    expect(s3Options.safeParse({ bucket, secretAccessKey: "env:SECRET" }).success).toBe(false);
  });

  it("refuse tags that S3 does not take", () => {
    const sets = [{ a: "b c" }, { a: "b & c" }, { "": "b" }, { a: "x".repeat(257) }];
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`t${at}`, ""]));
    const taken = [...sets, many].filter((tags) => s3Options.safeParse({ bucket, tags }).success);
    expect(taken).toEqual([{ a: "b c" }]);
  });

  it("refuse part sizes that no service takes", () => {
    const sizes = ["1MiB", "6GiB", "8 bananas", -1, "5MiB", 5 * 1024 ** 3];
    const taken = sizes.filter((partSize) => s3Options.safeParse({ bucket, partSize }).success);
    expect(taken).toEqual(["5MiB", 5 * 1024 ** 3]);
  });
});
