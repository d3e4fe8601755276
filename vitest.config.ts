import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["./test/property-seed.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: a file per core, each in a process of its own (native addons, servers).
    pool: "forks",
    maxWorkers: 2,
    reporters: ["default", "./test/reporter.ts"],
  },
});
