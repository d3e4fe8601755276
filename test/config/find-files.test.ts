import { symlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { readCalendarSources } from "#config/calendar-sources.ts";
import { filesBelow, filesLike } from "#config/find-files.ts";
import { readPolicySources } from "#config/policy-sources.ts";
import { folderOf } from "../policies/definitions/policy-folder.ts";

/** Folders of this name cannot be read, whoever runs the tests. */
const { locked, guarded } = vi.hoisted(() => {
  const name = { name: "" };
  return {
    locked: name,
    guarded: <Act extends (...args: never[]) => unknown>(act: Act) =>
      ((...args: Parameters<Act>) => {
        if (name.name !== "" && String(args[0]).endsWith(name.name)) {
          return Promise.reject(Object.assign(new Error("EACCES"), { code: "EACCES" }));
        }
        return act(...args);
      }) as Act,
  };
});
vi.mock(import("node:fs/promises"), async (load) => {
  const actual = await load();
  return { ...actual, readdir: guarded(actual.readdir), access: guarded(actual.access) };
});
afterEach(() => {
  locked.name = "";
});

const files = {
  "policies/a.thermocline.yaml": "a",
  "policies/holds/b.thermocline.yaml": "b",
  "policies/holds/notes.txt": "",
  "policies/.hidden/c.thermocline.yaml": "",
  "policies/node_modules/them/d.thermocline.yaml": "",
};

test("files are found below a folder, but for hidden folders and packages", async () => {
  const folder = await folderOf(files);
  await symlink(join(folder, "policies/holds"), join(folder, "policies/linked"));
  const below = async (...more: [] | ["with-packages"]) =>
    (await filesBelow(join(folder, "policies"), ".thermocline.yaml", ...more))
      .map((path) => relative(folder, path))
      .toSorted();
  const [a, b, , , d] = Object.keys(files);
  expect(await below()).toEqual([a, b]);
  expect(await below("with-packages")).toEqual([a, b, d]);
  const ofAnyKind = await filesBelow(join(folder, "policies"), ".thermo*.yaml");
  expect(ofAnyKind.map((path) => relative(folder, path)).toSorted()).toEqual([a, b]);
  expect(await filesBelow(join(folder, "nowhere"), ".yaml")).toEqual([]);
});

test("a folder that cannot be read is an error, and not one without files", async () => {
  const folder = await folderOf(files);
  const unreadable = { code: "UNREADABLE", message: expect.stringContaining("EACCES") as string };
  const patterns = ["policies/**/*.thermocline.yaml", "policies/*/*.thermocline.yaml"];
  const places = ["policies", ".", ...patterns];
  for (const place of places) {
    expect((await readPolicySources([place], folder)).length).toBeGreaterThan(0);
  }
  locked.name = "/holds";
  for (const place of places) {
    await expect(readPolicySources([place], folder)).rejects.toMatchObject(unreadable);
  }
  // What a pattern does not lead to does not matter.
  expect(await filesLike(join(folder, "policies/*.thermocline.yaml"))).toHaveLength(1);
});

test("beside a policy file that is named, folders that cannot be read have nothing to say", async () => {
  const calendar = "policies/holds/days.thermocline-calendar.yaml";
  const folder = await folderOf({ ...files, [calendar]: "days" });
  const read = async (place: string) =>
    await readCalendarSources({ directory: folder, policies: [place] });
  expect(await read("policies/a.thermocline.yaml")).toMatchObject([{ file: calendar }]);
  locked.name = "/holds";
  expect(await read("policies/a.thermocline.yaml")).toEqual([]);
  await expect(read("policies")).rejects.toMatchObject({ code: "UNREADABLE" });
});
