import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { TimingBook } from "#engine/timing-book.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { folderOf } from "../policies/definitions/policy-folder.ts";

const nightly = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: nightly}
windows: {allow: ["02:00-04:00"]}
rules: [{name: drop, where: size > 0, delete: {grace: 1d}}]
`;

test("timings stay as they were while a folder cannot be read", async () => {
  let passedMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (passedMs += 10_000));
  const directory = await folderOf({ "policies/nightly.thermocline.yaml": nightly });
  const book = new TimingBook({ directory, policies: ["policies"] }, await loadAttributes());
  const before = await book.timings();
  expect([...(before?.keys() ?? [])]).toEqual(["nightly"]);

  // Nobody, not even root, reads a folder of calendars that is none.
  await symlink("calendars", join(directory, "calendars"));
  expect(await book.timings()).toBe(before);
  vi.restoreAllMocks();
});
