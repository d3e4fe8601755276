import { readFileSync } from "node:fs";
import { costOf, median } from "../median.ts";

/** One way to do something. */
export interface Side {
  readonly run: () => Promise<unknown>;
  /** Makes it undone, so that it can be done again; costs nothing. */
  readonly clear?: () => Promise<unknown>;
}

export interface Peer extends Side {
  readonly name: string;
  /** What the ratio should be at most. */
  readonly goal?: number;
}

export interface Sides {
  readonly ours: Side;
  readonly peers: readonly Peer[];
  /** Takes away what both began with. */
  readonly end?: () => Promise<unknown>;
}

export interface Comparison {
  readonly what: string;
  /** Makes what both sides begin with. */
  readonly begin: () => Promise<Sides>;
}

/** Seconds: elapsed, of the processor for the client, of the processor for servers. */
export interface Cost {
  readonly elapsed: number;
  readonly client: number;
  readonly servers: number;
}

export interface Result {
  readonly what: string;
  readonly ours: Cost;
  readonly peers: readonly PeerResult[];
}

export interface PeerResult {
  readonly name: string;
  readonly cost: Cost;
  /** Ours by the peer's, the middle one of all rounds. */
  readonly ratio: Cost & { readonly processor: number };
  readonly goal?: number;
}

/** What each side costs, taken in turn; `serverPids` work for all of them. */
export async function compareSides(
  { what, begin }: Comparison,
  serverPids: readonly number[],
  rounds: number,
): Promise<Result> {
  const { ours, peers, end } = await begin();
  const mine: Cost[] = [];
  const theirs: Cost[][] = peers.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    mine.push(await take(ours, serverPids));
    for (const [at, peer] of peers.entries()) theirs[at]?.push(await take(peer, serverPids));
  }
  await end?.();
  return {
    what,
    ours: middle(mine),
    peers: peers.map(({ name, goal }, at) => {
      const costs = theirs[at] ?? [];
      const ratioOf = (figure: (cost: Cost) => number): number =>
        median(mine.map((cost, round) => figure(cost) / figure(costs[round] ?? cost)));
      return {
        name,
        cost: middle(costs),
        ratio: {
          elapsed: ratioOf(({ elapsed }) => elapsed),
          client: ratioOf(({ client }) => client),
          servers: ratioOf(({ servers }) => servers),
          processor: ratioOf(({ client, servers }) => client + servers),
        },
        ...(goal === undefined ? {} : { goal }),
      };
    }),
  };
}

async function take({ run, clear }: Side, serverPids: readonly number[]): Promise<Cost> {
  const before = processorOf(serverPids);
  const { seconds, processor } = await costOf(run);
  const servers = processorOf(serverPids) - before;
  await clear?.();
  return { elapsed: seconds, client: processor, servers };
}

function middle(costs: readonly Cost[]): Cost {
  return {
    elapsed: median(costs.map(({ elapsed }) => elapsed)),
    client: median(costs.map(({ client }) => client)),
    servers: median(costs.map(({ servers }) => servers)),
  };
}

/** Processor time of running processes, in seconds; Linux counts hundredths, others do not say. */
export function processorOf(pids: readonly number[]): number {
  if (process.platform !== "linux") return 0;
  const ticks = pids.map((pid) => {
    const [, after = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    const fields = after.split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}
