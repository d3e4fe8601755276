import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests that kill real processes meet real races: one more try, and the reporter names each.
    retry: process.env["CI"] === undefined ? 0 : 1,
    // Two cores: a file per core, each in a process of its own (native addons, servers).
    pool: "forks",
    maxWorkers: 2,
    reporters: ["default", "./test/reporter.ts"],
  },
});
