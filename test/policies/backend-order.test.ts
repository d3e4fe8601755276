import { expect, test } from "vitest";
import { extremeOf } from "#policies/extreme-of.ts";
import { joinFragments, sql, toStatement } from "#policies/sql-fragment.ts";
import { compileRules } from "./compile-rules.ts";
import { openMemoryIndex } from "./memory-index.ts";

async function preferring(prefer: string) {
  const text = `  - {name: r, where: held, replicate: {prefer: ['${prefer}']}}\n`;
  const { set, diagnostics } = await compileRules(text);
  const { verb } = set.rules[0] ?? {};
  const first = verb?.kind === "ensure" ? verb.prefer?.[0] : undefined;
  return { first, codes: diagnostics.map(({ code }) => code) };
}

async function pinnedOn(on: string) {
  const { set } = await compileRules(`  - {name: r, where: held, pin: {on: '${on}'}}\n`);
  const { verb } = set.rules[0] ?? {};
  return verb?.kind === "ensure" ? verb.on : undefined;
}

test("backends that are preferred by name must be there", async () => {
  expect((await preferring('backend = "htt"')).codes).toEqual(["E0305"]);
  expect((await preferring('backend = "hot"')).codes).toEqual([]);
});

test("a condition may say which of its values goes first", async () => {
  const hot = await preferring('backend = "hot"');
  const others = await preferring('backend != "hot"');
  expect(others.first).not.toEqual(hot.first);
  expect(await preferring('backend = "hot" desc')).toEqual(hot);
  expect(await preferring('backend = "hot" asc')).toEqual(others);
});

test("the greater of two tiers is the colder one, whatever their letters", async () => {
  expect(await pinnedOn("max(tier, warm) = warm")).toBe(await pinnedOn("tier <= warm"));
  expect(await pinnedOn("min(tier, warm) = warm")).toBe(await pinnedOn("tier >= warm"));
});

test("the database finds the same of two words as the evaluation of backends", async () => {
  using index = await openMemoryIndex();
  const words = ["hot", "warm", "cold", "archive"];
  const pairs = words.flatMap((one) => words.map((other) => [one, other] as const));
  for (const name of ["least", "greatest"] as const) {
    const { sql: inSql, value } = extremeOf(name).amongWords?.(words) ?? extremeOf(name);
    const columns = pairs.map(([one, other]) =>
      inSql(sql`${one}::VARCHAR`, sql`${other}::VARCHAR`),
    );
    const statement = toStatement(sql`SELECT ${joinFragments(columns, ", ")}`);
    const [row] = await index.rows(statement);
    expect(row).toEqual(pairs.map(([one, other]) => value(one, other)));
  }
});
