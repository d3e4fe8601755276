import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TypedPage } from "./typed-page.ts";

const config = `
apiVersion: thermocline/v1
backends:
  - {name: fast, driver: local, tier: hot, options: {path: ./stores/fast}}
  - {name: slow, driver: local, tier: cold, options: {path: ./stores/slow}}
`;
const policy = `
apiVersion: thermocline/v1
kind: Policy
metadata: {name: two-copies}
rules:
  - {name: two, where: size > 0, ensure: {copies: 2}}
`;
const apply = "thermocline apply --yes --override objects";
const damage = (where: string): string =>
  `for f in ${where}; do chmod u+w $f; printf 'photo X\\n' > $f; done`;
let page: TypedPage;

beforeAll(async () => {
  page = await TypedPage.open();
  await page.write("thermocline.yaml", config);
  await page.write("policies/two.thermocline.yaml", policy);
  for (const n of [1, 2, 3]) await page.write(`photos/${n}.txt`, `photo ${n}\n`);
  const { code, stderr } = await page.type(
    `thermocline import dir photos --backend fast; ${apply}`,
  );
  if (code !== 0) throw new Error(stderr);
}, 60_000);

afterAll(() => page[Symbol.asyncDispose]());

test("a corrupted copy is found, counts no longer, and is made anew from an intact one", async () => {
  await page.type(damage("$(ls -d stores/fast/objects/*/* | head -1)"));
  const found = await page.type("thermocline verify");
  expect(found).toMatchObject({ code: 1, stdout: expect.stringContaining("5 verified") });
  expect(found.stdout).toContain("1 corrupt");
  expect((await page.type(apply)).stdout).toContain("1: 1 done");
  await expectSixVerified();
});

test("without an intact copy the plan says so, and importing the file again replaces it", async () => {
  const cid = await page.type("ls stores/fast/objects/* | grep baf | head -1");
  await page.type(damage(`stores/*/objects/*/${cid.stdout.trim()}`));
  expect((await page.type("thermocline verify")).stdout).toContain("2 corrupt");
  expect((await page.type("thermocline plan")).stdout).toContain("no healthy copy to read from");
  expect((await page.type("thermocline import dir photos --backend fast")).code).toBe(0);
  expect((await page.type(apply)).stdout).toContain("1: 1 done");
  await expectSixVerified();
});

test("an inventory finds what somebody deleted, and policies make new copies", async () => {
  await page.type("rm -f $(ls -d stores/fast/objects/*/* | head -1)");
  const inventory = await page.type("thermocline import inventory fast");
  expect(inventory.stdout).toMatch(/lost +1\n/);
  expect((await page.type(apply)).stdout).toContain("1: 1 done");
  await expectSixVerified();
});

test("the commands that keep copies away, or hold them, do what the page says", async () => {
  const cordoned = await page.type("thermocline cordon slow; thermocline backends");
  expect(cordoned.stdout).toMatch(/^slow .*cordoned/m);
  expect((await page.type("thermocline uncordon slow")).code).toBe(0);
  const held = await page.type('thermocline hold /photos/1.txt --reason "why"');
  expect(held).toMatchObject({ code: 0, stdout: "/photos/1.txt is held\n" });
  const shown = await page.type("thermocline objects show /photos/1.txt");
  expect(shown.stdout).toMatch(/^held +yes/m);
});

test("a run whose command was killed goes on with resume, to its end", async () => {
  await page.type("for n in $(seq 400); do echo more $n > photos/more-$n.txt; done");
  await page.type("thermocline import dir photos --backend fast");
  // The shell is replaced by the command, so that it is the command that is killed.
  await page.type(`(exec ${apply} 2> log) & until grep -q "run run-" log; do sleep 0.1; done
    kill -9 $!`);
  const { stdout } = await page.type("thermocline runs -o json");
  const { runs } = JSON.parse(stdout) as { runs: { id: string; state: string }[] };
  const unfinished = runs.filter(({ state }) => state === "running");
  expect(unfinished).toHaveLength(1);
  const resumed = await page.type(`thermocline resume ${unfinished[0]?.id}`);
  expect(resumed.code).toBe(0);
  expect(resumed.stdout).toContain("400: 400 done, 0 skipped, 0 failed");
  expect((await page.type("thermocline verify")).stdout).toContain("806 verified");
}, 120_000);

test("every command that the page names exists", async () => {
  const text = await readFile(new URL("../../docs/runbooks/first-aid.md", import.meta.url), "utf8");
  const named = text.matchAll(/thermocline ((?:import |objects |runs )?[a-z]+)/g);
  const commands = [...new Set([...named].map(([, command = ""]) => command))];
  expect(commands.length).toBeGreaterThan(10);
  const results = await Promise.all(
    commands.map(async (command) => [
      command,
      (await page.type(`thermocline ${command} --help`)).code,
    ]),
  );
  expect(results.filter(([, code]) => code !== 0)).toEqual([]);
});

async function expectSixVerified(): Promise<void> {
  const { code, stdout } = await page.type("thermocline verify");
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("6 verified, 0 absent, 0 corrupt"),
  });
}
