import type { Driver } from "#model/driver.ts";

/** A real driver with some of its members put in another's place. */
export function driverWith(driver: Driver, members: Partial<Driver>): Driver {
  return new Proxy(driver, {
    get(target, name) {
      if (name in members) return members[name as keyof Driver];
      const value: unknown = target[name as keyof Driver];
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
