/** Services that take no new content now, by driver, with the reason. */
const closedServices: ReadonlyMap<string, string> = new Map([
  [
    "storacha",
    "the service takes no uploads since May 2026 (storacha/upload-service#709): read and move away",
  ],
]);

/** Why no new copies can be made with a driver's service; undefined when they can. */
export function closedReason(driver: string): string | undefined {
  return closedServices.get(driver);
}
