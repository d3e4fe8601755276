import { expect, test } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import { createApp } from "#api/app.ts";
import { EngineError } from "#model/engine-error.ts";
import { sampleEngine } from "./sample-engine.ts";
import { sampleRun } from "./sample-values.ts";

const token = "t".repeat(20);

function applyOn(apply: EngineApi["apply"]) {
  const api = { ...sampleEngine(), apply };
  const app = createApp({ api, version: "0", instance: "i" }, { token });
  return (key: string | undefined, body: object = {}) =>
    app.request("/api/v1/runs", {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
      body: JSON.stringify(body),
    });
}

test("a repeated key gets the first answer, also while the first call is under way", async () => {
  let applied = 0;
  const apply = applyOn(async () => {
    applied += 1;
    await new Promise((resolve) => setTimeout(resolve, 10));
    return { ...sampleRun, id: `run-${applied}` };
  });
  const answers = await Promise.all([apply("a"), apply("a")]);
  answers.push(await apply("a"), await apply("b"), await apply(undefined));
  const runs = await Promise.all(answers.map(async (answer) => await answer.json()));
  expect(runs).toMatchObject(["run-1", "run-1", "run-1", "run-2", "run-3"].map((id) => ({ id })));
});

test("a key that comes with another request is a conflict, and one that is too long is refused", async () => {
  const apply = applyOn(() => Promise.resolve(sampleRun));
  expect((await apply("a")).status).toBe(200);
  const other = await apply("a", { maxObjects: 1 });
  expect(other.status).toBe(409);
  expect(await other.json()).toMatchObject({ code: "CONFLICT", retryable: false });
  expect((await apply("x".repeat(201))).status).toBe(400);
});

test("a call that failed may be made again under its key", async () => {
  let calls = 0;
  const apply = applyOn(() => {
    calls += 1;
    return calls === 1
      ? Promise.reject(new EngineError("UNAVAILABLE", "queue is away"))
      : Promise.resolve(sampleRun);
  });
  expect((await apply("a")).status).toBe(503);
  expect((await apply("a")).status).toBe(200);
  expect((await apply("a")).status).toBe(200);
  expect(calls).toBe(2);
});
