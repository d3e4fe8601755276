import { integerBetween, pickOne } from "../../seeded-random.ts";
import type { Stage } from "../stage.ts";
import type { TcpProxy } from "../tcp-proxy.ts";
import type { Fault } from "./fault.ts";

const ways = ["cut", "slow", "stall", "half-open", "refuse"] as const;

/** The network between nodes and queue store: reset, slow, silent, half-open or closed. */
export const spoilLink = spoil("spoil-link", "link", ({ queue }) => queue.link);

/** The same between nodes and the S3 server behind a backend. */
export const spoilBucketLink = spoil(
  "spoil-bucket-link",
  "bucket-link",
  ({ bucket }) => bucket?.link,
);

function spoil(
  name: string,
  target: string,
  linkOf: (stage: Stage) => TcpProxy | undefined,
): Fault {
  return {
    name,
    weight: 4,
    target: (stage) => (linkOf(stage) === undefined ? undefined : target),
    inject: async ({ stage, random, wait, note }) => {
      const link = linkOf(stage);
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
}
