import { expect, test } from "vitest";
import { eventStream } from "#api/event-stream.ts";
import { createApp } from "#api/app.ts";
import { EventFeed } from "#engine/event-feed.ts";
import { EngineEvents } from "#engine/events.ts";
import { sampleEngine } from "./sample-engine.ts";

const now = () => new Date("2026-01-01T00:00:00Z");

test("an event is a message with id, name and data; a quiet stream shows that it lives", async () => {
  const events = new EngineEvents();
  const feed = new EventFeed(events, now);
  const response = eventStream(feed.after(), 5);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect((await reader.read()).value).toBe("retry: 2000\n\n");
  expect((await reader.read()).value).toBe(": still here\n\n");
  events.emit({ type: "object-added", objects: 7 });
  let text = "";
  while (!text.startsWith("id:")) text = (await reader.read()).value ?? "";
  const [id, name, data] = text.split("\n");
  expect(id).toMatch(/^id: \w+-1$/);
  expect(name).toBe("event: object-added");
  expect(JSON.parse(data!.slice("data: ".length))).toMatchObject({
    at: "2026-01-01T00:00:00.000Z",
    event: { type: "object-added", objects: 7 },
  });
  await reader.cancel();
});

test("a browser that comes back says what it heard last", async () => {
  const heard: (string | undefined)[] = [];
  const api = {
    ...sampleEngine(),
    async *events(after?: string) {
      heard.push(after);
      yield { id: "a-8", at: now().toISOString(), event: { type: "reset" } as const };
    },
  };
  const app = createApp({ api, version: "0", instance: "i" }, { token: "t" });
  const headers = { Authorization: "Bearer t", "Last-Event-ID": "a-7" };
  const response = await app.request("/api/v1/events", { headers });
  expect(await response.text()).toContain("id: a-8\nevent: reset\n");
  expect(heard).toEqual(["a-7"]);
});
