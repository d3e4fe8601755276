import type { Driver } from "#model/driver.ts";

const inGroups: readonly string[] = ["readGroup", "storeGroup"] satisfies (keyof Driver)[];

/**
 * A real driver with some of its members put in another's place. Groups would go around them: it
 * has none.
 */
export function driverWith(driver: Driver, members: Partial<Driver>): Driver {
  return new Proxy(driver, {
    get(target, name) {
      if (name in members) return members[name as keyof Driver];
      if (inGroups.includes(String(name))) return undefined;
      const value: unknown = target[name as keyof Driver];
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
