import { describe, expect, test } from "vitest";
import pinningService from "#drivers/pinning-service/pinning-service.ts";
import s3 from "#drivers/s3/s3.ts";
import type { Driver } from "#model/driver.ts";
import { isSameStorage } from "#model/same-storage.ts";

const secrets: Readonly<Record<string, string>> = {
  "env:ONE": "one-token",
  "file:/run/one": "one-token",
  "env:TWO": "two-token",
};

const context = {
  backend: "b",
  capacityBytes: undefined,
  secret: async (reference: string) => secrets[reference] ?? reference,
};

async function same(one: Promise<Driver>, other: Promise<Driver>): Promise<boolean> {
  const drivers = await Promise.all([one, other]);
  const [first = [], second = []] = await Promise.all(
    drivers.map(async ({ identity }) => identity?.names()),
  );
  await Promise.all(drivers.map((driver) => driver.close()));
  expect(isSameStorage(second, first)).toBe(isSameStorage(first, second));
  return isSameStorage(first, second);
}

const pins = async (url: string, token: string) =>
  pinningService.open({ ...context, options: pinningService.options.parse({ url, token }) });

const bucket = async (endpoint: string | undefined, more: Readonly<Record<string, string>> = {}) =>
  s3.open({
    ...context,
    options: s3.options.parse({
      bucket: "lake",
      ...(endpoint === undefined ? { region: "eu-central-1" } : { endpoint }),
      ...more,
    }),
  });

const key = (id: string) => ({ accessKeyId: id, secretAccessKey: "env:TWO" });

describe("accounts of a pinning service", () => {
  test("are those of their tokens, however these are kept and the address is written", async () => {
    const one = () => pins("https://pins.example/psa", "env:ONE");
    expect(await same(one(), pins("https://PINS.example:443//psa/", "file:/run/one"))).toBe(true);
    expect(await same(one(), pins("https://pins.example/psa", "env:TWO"))).toBe(false);
    expect(await same(one(), pins("https://pins.example/other", "env:ONE"))).toBe(false);
  });

  test("never show the token", async () => {
    const driver = await pins("https://pins.example/psa", "env:ONE");
    expect(JSON.stringify(await driver.identity?.names())).not.toContain("one-token");
    await driver.close();
  });
});

describe("buckets of one name", () => {
  test("are one, unless they are on two services behind one host", async () => {
    const one = () => bucket("https://s3.example/a", key("k1"));
    expect(await same(one(), bucket("https://s3.example/a/", key("k2")))).toBe(true);
    expect(await same(one(), bucket("https://s3.example/b", key("k1")))).toBe(false);
    expect(await same(one(), bucket("https://s3.example/a", { ...key("k1"), prefix: "x" }))).toBe(
      false,
    );
  });

  test("are two where both name an account and these differ, but never with one key", async () => {
    const of = (account: string, id: string) =>
      bucket("https://s3.example", { ...key(id), account });
    expect(await same(of("red", "k1"), of("blue", "k2"))).toBe(false);
    expect(await same(of("red", "k1"), of("red", "k2"))).toBe(true);
    expect(await same(of("red", "k1"), bucket("https://s3.example", key("k2")))).toBe(true);
    expect(await same(of("red", "env:ONE"), of("blue", "file:/run/one"))).toBe(true);
    const driver = await bucket("https://s3.example");
    expect(driver.identity?.hint).toContain("name each in `account`");
    await driver.close();
  });

  test("are one at AWS, where names are given once, whatever account or address is named", async () => {
    const far = bucket("https://s3.eu-central-1.amazonaws.com", { ...key("k1"), account: "red" });
    expect(await same(far, bucket(undefined, { ...key("k2"), account: "blue" }))).toBe(true);
  });
});
