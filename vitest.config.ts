import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const onCluster = { globalSetup: ["test/e2e/setup.ts"], testTimeout: 300_000, hookTimeout: 600_000 };

/** Three groups, by what they need: nothing, an API server, a whole cluster. `npm test` runs them in this order. */
export default defineConfig({
  test: {
    // Most tests wait for servers: one file at a time, as is the default on two cores, leaves one of them idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "operator/**/*.test.ts",
            "scripts/**/*.test.ts",
            "test/{cluster,demo,faults,repository}/**/*.test.ts",
          ],
          // A property draws hundreds of cases; how long they take is the machine's affair.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/{integration,chart}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      // One cluster: its tests have a namespace each. Those that kill what all of them need run alone, when the others are done.
      { test: { ...onCluster, name: "e2e", include: ["test/e2e/*.test.ts"], sequence: { groupOrder: 1 } } },
      {
        test: {
          ...onCluster,
          name: "e2e-alone",
          include: ["test/e2e/alone/*.test.ts"],
          sequence: { groupOrder: 2 },
          fileParallelism: false,
        },
      },
    ],
  },
});
