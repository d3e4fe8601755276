import { integerBetween, pickOne } from "../../seeded-random.ts";
import type { Fault } from "./fault.ts";

const ways = ["cut", "slow", "stall", "half-open", "refuse"] as const;

/** The network between nodes and queue store: reset, slow, silent, half-open or closed. */
export const spoilLink: Fault = {
  name: "spoil-link",
  weight: 4,
  target: ({ queue }) => (queue.link === undefined ? undefined : "link"),
  inject: async ({ stage, random, wait, note }) => {
    const { link } = stage.queue;
    if (link === undefined) return;
    const way = pickOne(random, ways) ?? "cut";
    const delayMs = integerBetween(random, 20, 400);
    await note({ way, ...(way === "slow" ? { delayMs } : {}) });
    if (way === "cut") link.cut();
    else link.set(way === "half-open" ? "stall" : way, delayMs);
    await wait(500, 9_000);
    // What was on a half-open connection never arrives.
    if (way === "half-open") link.cut();
    link.set("pass");
  },
};
