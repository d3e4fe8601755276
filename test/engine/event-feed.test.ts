import { expect, test } from "vitest";
import { EventFeed } from "#engine/event-feed.ts";
import { EngineEvents } from "#engine/events.ts";
import type { ToldEvent } from "#model/engine-event.ts";

const now = () => new Date("2026-01-01T00:00:00Z");

function feedOf() {
  const events = new EngineEvents();
  const feed = new EventFeed(events, now);
  const add = (objects: number) => events.emit({ type: "object-added", objects });
  return { feed, add };
}

/** What a reader hears until the feed is closed. */
async function heard(events: AsyncIterable<ToldEvent>): Promise<readonly unknown[]> {
  const all = await Array.fromAsync(events);
  return all.map(({ event }) => (event.type === "object-added" ? event.objects : event.type));
}

test("a reader hears what happens from now on, until the feed is closed", async () => {
  const { feed, add } = feedOf();
  add(1);
  const first = heard(feed.after());
  add(2);
  const second = heard(feed.after());
  add(3);
  feed.close();
  expect(await first).toEqual([2, 3]);
  expect(await second).toEqual([3]);
});

test("one who comes back hears what it missed, once", async () => {
  const { feed, add } = feedOf();
  const reader = feed.after();
  add(1);
  const { value } = await reader.next();
  await reader.return?.();
  add(2);
  add(3);
  const back = heard(feed.after((value as ToldEvent).id));
  add(4);
  feed.close();
  expect(await back).toEqual([2, 3, 4]);
});

test("what is not known any more is told by reset", async () => {
  const { feed, add } = feedOf();
  const reader = feed.after();
  add(0);
  const { value } = await reader.next();
  for (let number = 1; number <= 1_001; number += 1) add(number);
  const late = heard(feed.after((value as ToldEvent).id));
  const stranger = heard(feed.after("another-7"));
  feed.close();
  expect(await late).toEqual(["reset"]);
  expect(await stranger).toEqual(["reset"]);
});

test("who reads too slowly begins anew, and memory stays bounded", async () => {
  const { feed, add } = feedOf();
  const slow = feed.after();
  for (let number = 0; number <= 1_001; number += 1) add(number);
  feed.close();
  expect(await heard(slow)).toEqual(["reset", 1_001]);
});

test("a reader that stops while it waits is let go at once", async () => {
  const { feed } = feedOf();
  const reader = feed.after();
  const waiting = reader.next();
  await reader.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
});
