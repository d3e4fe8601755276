import { expect, test } from "vitest";
import { runSchedule } from "./run-schedule.ts";
import { type ThemeName, themeNames } from "./themes.ts";

const fixedSeed = 1_000;
const freshSeed = Math.floor(Math.random() * 1e9);
/** New seeds are for themes of which very many schedules have run: `npm run simulate` is for others. */
const young: ReadonlySet<ThemeName> = new Set(["spreads"]);
const known = themeNames.filter((name) => !young.has(name));
const schedulesEach = 20;
/** On a slow machine fewer schedules are run, not longer. */
const endAfterMs = 20_000;

test.for([
  ["the same seeds as always", fixedSeed, themeNames],
  [`seeds nobody tried before (${freshSeed})`, freshSeed, known],
] as const)(
  "schedules of every theme keep every promise: %s",
  { timeout: 60_000 },
  async (named) => {
    const [what, first, themes] = named;
    const began = performance.now();
    let schedules = 0;
    for (let seed = first; seed < first + schedulesEach; seed += 1) {
      if (performance.now() - began > endAfterMs) break;
      for (const theme of themes) {
        const { violations } = await runSchedule({ seed, theme, index: "model" });
        const again = `--schedules 1 --seed ${seed} --theme ${theme} --trace`;
        expect(violations, `replay: npm run simulate -- ${again}`).toEqual([]);
        schedules += 1;
      }
    }
    console.log(`${schedules} schedules: ${what}`);
    expect(schedules).toBeGreaterThanOrEqual(themes.length);
  },
);
