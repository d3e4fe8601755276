import { expect, test, vi } from "vitest";
import { askPolicies } from "#engine/ask-policies.ts";
import type { EngineContext } from "#engine/context.ts";
import type { PolicyBook } from "#engine/policy-book.ts";
import { EngineError } from "#model/engine-error.ts";
import { openIndex } from "../index/open-index.ts";

/** Asks about one object of policies that are compiled like this. */
async function ask(compileNow: PolicyBook["compileNow"]) {
  const moment = vi.fn<() => Promise<object>>().mockResolvedValue({});
  const { index } = await openIndex();
  const context = { index, policies: { compileNow }, moment, now: () => new Date(0) };
  return await askPolicies(context as unknown as EngineContext, [7], { least: "1GiB" });
}

const range = { start: { line: 3, column: 5 } };
const found = { severity: "error", file: "a.yaml", range, message: "no such attribute" };
const invalid = new EngineError("INVALID_DOCUMENT", "the policies have an error", {
  details: { diagnostics: [found] },
});

test("where policies have an error, cannot be read, or there are none, whoever asks waits", async () => {
  const open = Object.assign(new Error("EMFILE: too many open files"), { syscall: "open" });
  for (const [error, message] of [
    [invalid, "the policies have an error: a.yaml:3:5: no such attribute"],
    [new EngineError("NOT_FOUND", "there is no policy"), "there is no policy"],
    [new EngineError("UNREADABLE", "a.yaml cannot be read"), "a.yaml cannot be read"],
    [open, open.message],
  ] as const) {
    await expect(ask(() => Promise.reject(error))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message,
      details: { wait: "policies" },
    });
  }
});

test("where the values of one plan do not fit any more, its removals are refused", async () => {
  const standing = { rules: [] } as unknown as Awaited<ReturnType<PolicyBook["compile"]>>;
  const words = await ask(async () => ({ standing, agreed: { error: invalid } }));
  expect(words.get(7)).toMatchObject({
    refused: { reason: "policies", message: expect.stringContaining("a.yaml:3:5") as string },
  });
});
