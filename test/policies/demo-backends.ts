import { type Backend, freeOfCharge } from "#model/backend.ts";
import type { DriverCapabilities } from "#model/driver.ts";
import type { Moment } from "#policies/compiled-policy.ts";

export const readWrite: DriverCapabilities = {
  forms: ["file", "car"],
  operations: ["read", "write", "remove", "list", "verify"],
  confidence: ["claimed", "listed", "sampled", "verified"],
  ranges: "bytes",
  create: "atomic",
  bytesMax: undefined,
};

/** A backend with facts that tests set as they need. */
export function testBackend(facts: Partial<Backend> & Pick<Backend, "id" | "name">): Backend {
  return {
    driver: "local",
    tier: "hot",
    region: undefined,
    labels: {},
    capacityBytes: undefined,
    usedBytes: 0,
    freeBytes: undefined,
    cordoned: false,
    price: freeOfCharge,
    capabilities: readWrite,
    ...facts,
  };
}

/** The inventory of the demo: one backend per tier and region. */
export const demoBackends: readonly Backend[] = [
  testBackend({ id: 0, name: "hot", tier: "hot", region: "eu-1" }),
  testBackend({ id: 1, name: "warm", tier: "warm", region: "eu-2" }),
  testBackend({ id: 2, name: "cold", tier: "cold", region: "eu-3" }),
];

export const demoMoment: Moment = {
  now: new Date("2026-06-01T12:00:00Z"),
  backends: demoBackends,
  heat: { landmark: new Date("2026-05-04T12:00:00Z"), halfLifeMs: 7 * 86_400_000 },
};
