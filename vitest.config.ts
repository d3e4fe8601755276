import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["./test/own-folder.ts", "./test/property-seed.ts"],
    // Only what hangs takes so long, on a machine that does much else as well. Nothing is measured.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Two cores: a file per core, each in a process of its own (native addons, servers).
    pool: "forks",
    maxWorkers: 2,
    reporters: ["default", "./test/reporter.ts"],
  },
});
