import { expect, test, vi } from "vitest";
import { askPolicies } from "#engine/ask-policies.ts";
import type { EngineContext } from "#engine/context.ts";
import { EngineError } from "#model/engine-error.ts";

/** What is said of one object where the policies cannot be compiled. */
async function said(error: unknown) {
  const compile = vi.fn<() => Promise<never>>().mockRejectedValue(error);
  const moment = vi.fn<() => Promise<object>>().mockResolvedValue({});
  const context = { policies: { compile }, moment, now: () => new Date(0) };
  const words = await askPolicies(context as unknown as EngineContext, [7], undefined);
  return words.get(7);
}

test("where the policies have an error, or there are none, nothing may go", async () => {
  const range = { start: { line: 3, column: 5 } };
  const found = { severity: "error", file: "a.yaml", range, message: "no such attribute" };
  const details = { diagnostics: [found] };
  const invalid = new EngineError("INVALID_DOCUMENT", "the policies have an error", { details });
  expect(await said(invalid)).toMatchObject({
    refused: { reason: "policies", message: expect.stringContaining("a.yaml:3:5") as string },
  });
  expect(await said(new EngineError("NOT_FOUND", "there is no policy"))).toMatchObject({
    refused: { reason: "policies" },
  });
});

test("where the policies cannot be read for a moment, they are asked again", async () => {
  const open = Object.assign(new Error("EMFILE: too many open files"), { syscall: "open" });
  await expect(said(open)).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
  await expect(said(new TypeError("ours"))).rejects.toMatchObject({ code: "INTERNAL" });
});
