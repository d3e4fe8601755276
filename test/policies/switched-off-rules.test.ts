import { expect, test } from "vitest";
import { compileRules } from "./compile-rules.ts";

test("a rule that is switched off is checked like all others, and does nothing", async () => {
  const { set, diagnostics } = await compileRules(`
  - {name: on, where: held, hold: true}
  - {name: wrong, enabled: false, where: held, pin: {on: backend = "nowhere"}}
  - {name: down, enabled: false, where: idle > 2y, demote: {from: tier = hot, to: tier = cold}}
`);
  expect(set.rules.map(({ id }) => id)).toEqual(["p/on"]);
  expect(set.switchedOff).toEqual(["p/wrong", "p/down"]);
  expect(diagnostics.map(({ code }) => code).toSorted()).toEqual(["E0305", "W0422"]);
});

test("a rule that protects and is switched off is pointed out", async () => {
  const { diagnostics } = await compileRules(`
  - {name: keep, enabled: false, where: held, hold: true}
  - {name: two, enabled: false, where: held, ensure: {copies: 2, on: tier <= cold}}
  - {name: on, enabled: true, where: held, hold: true}
`);
  expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'W0422 rule "keep" protects, and is switched off',
    'W0422 rule "two" protects, and is switched off',
  ]);
});
