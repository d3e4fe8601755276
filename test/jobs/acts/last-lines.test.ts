import { PassThrough } from "node:stream";
import { array, asyncProperty, assert, constantFrom, integer, nat, record } from "fast-check";
import { expect, test } from "vitest";
import { LastLines } from "#jobs/acts/last-lines.ts";

/** What is kept of a text that comes in pieces of these sizes, in turn. */
async function kept(
  text: string,
  sizes: readonly number[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const stream = new PassThrough();
  const said = new LastLines(stream, environment);
  for (let at = 0, turn = 0; at < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    stream.write(text.slice(at, at + size));
    at += size;
  }
  stream.end();
  await said.end();
  return said.details().output ?? "";
}

/** Text without any run that repeats, of so many characters. */
function secretOf(length: number, seed: number): string {
  const words = Array.from({ length: Math.ceil(length / 6) }, (_, at) =>
    (seed * 100_003 + at * 7).toString(36).padStart(6, "z"),
  );
  return words.join("").slice(0, length);
}

function shown(secret: string, output: string): readonly string[] {
  const runs = Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8));
  return runs.filter((run) => output.includes(run));
}

test("a long key that is written twice is hidden both times, wherever pieces end", async () => {
  const key = secretOf(2_300, 1);
  const text = `first ${key}\nthen ${key}\nno such table`;
  for (const size of [1, 7, 1_000, 2_301, 4_000, 65_536]) {
    const output = await kept(text, [size], { KEY: key });
    expect(output).toBe("first $KEY\nthen $KEY\nno such table");
  }
});

test("a token before many escape sequences is hidden", async () => {
  const token = secretOf(60, 2);
  const colours = "\u001B[31m\u001B[0m".repeat(439);
  for (const size of [13, 500, 65_536]) {
    const output = await kept(`with ${token}${colours} end`, [size], { TOKEN: token });
    expect(output).toBe("with $TOKEN end");
  }
});

test("a value is hidden whole, although another one is its beginning", async () => {
  const environment = { SHORT: "abcdefgh", LONG: "abcdefgh-ijklmnop" };
  const text = `${environment.LONG} ${environment.SHORT} ${environment.LONG}`;
  expect(await kept(text, [10], environment)).toBe("$LONG $SHORT $LONG");
});

test("no part of a secret is kept, whatever surrounds it and however it comes", async () => {
  const part = constantFrom("secret", "other", "colour", "dots", "line", "coloured secret");
  const parts = array(record({ part, count: integer({ min: 1, max: 900 }) }), { maxLength: 12 });
  const sizes = array(integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 5 });
  const lengths = record({ secret: integer({ min: 8, max: 6_000 }), seed: nat(999) });
  await assert(
    asyncProperty(parts, sizes, lengths, async (written, pieces, { secret: length, seed }) => {
      const secret = secretOf(length, seed + 1);
      const other = secretOf(40, seed + 2_000);
      const half = Math.floor(secret.length / 2);
      const words = {
        secret: () => secret,
        other: () => other,
        colour: (count: number) => "\u001B[1;31m".repeat(count),
        dots: (count: number) => ".".repeat(count),
        line: () => "\n",
        "coloured secret": () => `${secret.slice(0, half)}\u001B[32m${secret.slice(half)}`,
      };
      const text = written.map((one) => `${words[one.part](one.count)} `).join("");
      const output = await kept(text, pieces, { SECRET: secret, OTHER: other });
      expect([...shown(secret, output), ...shown(other, output)]).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
