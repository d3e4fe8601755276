import type { ErrorCode } from "#model/engine-error.ts";
import type { FaultPlace, FaultPlaceKind } from "./fault-places.ts";
import type { Direction } from "./spoiling-proxy.ts";

/** What comes of a fault: the code of the error, or that the driver gets over it by itself. */
export type Outcome = ErrorCode | "goes on";

/** One fault, as it meets the drivers of servers. */
export interface Fault {
  readonly name: string;
  /** Whether content is on its way to the server, or from it. */
  readonly direction: Direction;
  readonly arm: (place: FaultPlace) => void;
  /** Where the same may pass without anybody changing anything. */
  readonly retryable: boolean;
  readonly outcome: Readonly<Record<FaultPlaceKind["driver"], Outcome>>;
}

const mebibyte = 1024 * 1024;

/** Large enough for parts, ranges and many blocks, and faults come within it. */
export const contentBytes = 16 * mebibyte + 1;
const after = 6 * mebibyte;
export const retryAfterMs = 7_000;

export const faults: readonly Fault[] = (["sent", "received"] as const).flatMap((direction) => [
  {
    ...everywhere("server killed", direction, "UNAVAILABLE"),
    arm: ({ proxy, kill }) => {
      proxy.spoil({ direction, after, how: "cut", act: () => kill(direction) });
    },
  },
  { ...everywhere("connection cut", direction, "UNAVAILABLE"), arm: spoils("cut", direction) },
  {
    ...everywhere("body cut short", direction, "UNAVAILABLE"),
    // The SDK sends the part again; a large file on an IPFS node is read again by its blocks.
    outcome: { ...all("UNAVAILABLE"), [direction === "sent" ? "s3" : "kubo"]: "goes on" },
    arm: spoils("shorten", direction),
  },
  {
    ...everywhere("one bit flipped", direction, "UNAVAILABLE"),
    ...(direction === "received" && { outcome: { ...all("UNAVAILABLE"), kubo: "goes on" } }),
    arm: spoils("flip", direction),
  },
  {
    ...everywhere("a byte now and then", direction, "TIMEOUT"),
    arm: spoils("drip", direction),
  },
  {
    ...everywhere("429 with Retry-After", direction, "RATE_LIMITED"),
    arm: ({ proxy }) => {
      proxy.refuse({ status: 429, headers: { "Retry-After": String(retryAfterMs / 1_000) } });
    },
  },
  {
    ...everywhere("500", direction, "UNAVAILABLE"),
    arm: ({ proxy }) => {
      proxy.refuse({ status: 500 });
    },
  },
]);

function everywhere(
  name: string,
  direction: Direction,
  code: Outcome,
): Pick<Fault, "name" | "direction" | "retryable" | "outcome"> {
  return { name, direction, retryable: true, outcome: all(code) };
}

function all(code: Outcome): Fault["outcome"] {
  return { s3: code, kubo: code, "ipfs-cluster": code, "pinning-service": code };
}

function spoils(how: "cut" | "shorten" | "flip" | "drip", direction: Direction): Fault["arm"] {
  return ({ proxy }) => {
    proxy.spoil({ direction, after, how });
  };
}

export const wrongCredentials: Fault["outcome"] = all("UNAUTHENTICATED");
/** A cluster says nothing more, however long one waits, when a node of it cannot write. */
export const fullDisk: Fault["outcome"] = { ...all("NO_SPACE"), "ipfs-cluster": "TIMEOUT" };

/** All of it as it stands in the documentation. */
export function faultTable(): string {
  const drivers = ["s3", "kubo", "ipfs-cluster", "pinning-service"] as const;
  const words = { sent: "written", received: "read" };
  const rows = [
    ...faults.map(({ name, direction, outcome }) => ({
      name: `${name} while content is ${words[direction]}`,
      outcome,
    })),
    { name: "wrong credentials", outcome: wrongCredentials },
    { name: "disk of the server full", outcome: fullDisk },
  ];
  const lines = rows.map(({ name, outcome }) => line(name, ...drivers.map((one) => outcome[one])));
  const head = line("fault", ...drivers.map((driver) => `\`${driver}\``));
  return [head, line(...["", ...drivers].map(() => "---")), ...lines].join("\n");
}

function line(...cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
