import { expect, test } from "vitest";
import { hunts, mutants } from "./mutants.ts";
import { runSchedule } from "./run-schedule.ts";

test("every deliberate defect has schedules in which it is looked for", () => {
  expect(Object.keys(hunts).toSorted()).toEqual(Object.keys(mutants).toSorted());
});

test.for(Object.entries(hunts))(
  "the simulation notices when %s",
  { timeout: 60_000 },
  async ([name, [theme, from, most]]) => {
    const found: string[] = [];
    for (let seed = from; seed < from + most && found.length === 0; seed += 1) {
      const defect = mutants[name] ?? {};
      const { violations } = await runSchedule({ seed, theme, index: "model", defect });
      found.push(...violations);
    }
    expect(found, `${most} schedules of ${theme} from seed ${from}`).not.toEqual([]);
  },
);
