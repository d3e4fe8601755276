import { expect, test } from "vitest";
import { type EngineEvent, triggerEvents } from "#model/engine-event.ts";
import { backendFacts, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { evidenceOf } from "./run-steps.ts";

async function* nothing() {}

test("the index tells of new backends, new objects and lost copies, each once, and its marks grow with them", async () => {
  const heard: EngineEvent[] = [];
  const onEvent = (event: EngineEvent) => heard.push(event);
  const { index } = await openIndex(["hot", "cold"], { onEvent });
  const hot = [0, 1].map((number) => objectOf(number, [copyOn("hot"), copyOn("cold")]));
  const marks: number[][] = [];
  const mark = async () => {
    const { starters } = index;
    marks.push(await Promise.all(triggerEvents.map((event) => starters.mark(event))));
  };
  await mark();
  await index.putObjects(hot, start);
  await mark();
  await index.putObjects(hot, start);
  await mark();
  await index.recordEvidence([evidenceOf(0, "hot", "corrupt"), evidenceOf(1, "hot")], start);
  await mark();
  await index.recordEvidence([evidenceOf(0, "hot", "corrupt")], start);
  await mark();
  await index.reconcile("cold", nothing(), new Date(start.getTime() + 1_000));
  await mark();
  await index.syncBackends(["hot", "cold", "far"].map((name) => backendFacts(name)));
  await mark();
  const grown = marks.slice(1).map((now, step) => {
    const before = marks[step] ?? [];
    return triggerEvents.filter((_event, at) => (now[at] ?? 0) > (before[at] ?? 0));
  });
  expect(grown).toEqual([
    ["object-added"],
    [],
    ["copy-lost"],
    [],
    ["copy-lost"],
    ["backend-added"],
  ]);
  expect(heard).toEqual([
    { type: "backend-added", backend: "hot" },
    { type: "backend-added", backend: "cold" },
    { type: "object-added", objects: 2 },
    { type: "copy-lost", backend: "hot", objects: 1 },
    { type: "copy-lost", backend: "cold", objects: 2 },
    { type: "backend-added", backend: "far" },
  ]);
});
