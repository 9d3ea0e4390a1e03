/** Whatever happens to an object, planning comes to rest: a plan that was carried out, planned again, changes nothing. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { DatasetSimulation } from "../../test/builders/dataset-simulation.ts";
import { derivedDataset, versionOf } from "../../test/builders/datasets.ts";
import { dataset, inferenceService, model, trainingJob } from "../../test/builders/kinds.ts";
import {
  type Happening,
  ModelSimulation,
  ServiceSimulation,
  TrainingSimulation,
} from "../../test/builders/simulation.ts";
import { recipeDigestOf } from "./dataset/look.ts";
import { isServing } from "./inference-service/rollout.ts";
import { labels } from "./labels.ts";
import { runOf } from "./training-job/run.ts";

// A slow machine is slow a hundred times.
vi.setConfig({ testTimeout: 60_000 });

const happeningsOf = (...what: Happening["what"][]) =>
  fc.array(fc.record({ what: fc.constantFrom(...what), value: fc.nat(40) }), { maxLength: 25 });
const happenings = happeningsOf("registered", "complete", "fail", "ready", "data", "minutes", "edit", "lost");
/** Mostly inputs that change while they are read. */
const looks = happeningsOf("data", "data", "data", "registered", "complete", "complete", "fail", "ready", "edit");

const datasets = fc.record({
  schedule: fc.constantFrom("*/15 * * * *", "0 3 * * 1"),
  splits: fc.constantFrom({ train: 80, test: 20 }, { a: 50, b: 50 }),
  retain: fc.integer({ min: 1, max: 1000 }),
});

const isCurrent = ({ object }: DatasetSimulation) => object.status?.conditions?.[0]?.reason === "VersionCurrent";

test("a Dataset comes to rest, with one look under way at the most", () => {
  fc.assert(
    fc.property(datasets, happenings, (spec, events) => {
      const world = new DatasetSimulation(dataset(spec));
      world.settle();
      for (const event of events) {
        world.happen(event);
        world.settle();
        expect(world.jobs.filter(({ status }) => !status?.conditions).length).toBeLessThanOrEqual(1);
        expect(world.jobs.length).toBeLessThanOrEqual(2);
        expect(world.object.status).toMatchObject({ ...(world.checked ? { lastChecked: world.checked } : {}) });
        expect(world.object.status?.version).toBe(world.versions || undefined);
        if (isCurrent(world)) expect(world.made.recipe).toBe(recipeDigestOf(world.object));
      }
    }),
  );
});

test("a derived Dataset comes to rest, is not begun before its input is there, and is served while it asks for it, and is made of what is there", () => {
  fc.assert(
    fc.property(looks, (events) => {
      const world = new DatasetSimulation(derivedDataset("wine", ["raw"]));
      world.settle();
      for (const event of events) {
        world.happen(event);
        world.settle();
        if (world.raw === 0) expect(world.jobs).toEqual([]);
        const { online } = world.object.spec;
        expect(world.deployment !== undefined).toBe(online !== undefined && world.versions > 0);
        expect(world.object.status?.url !== undefined).toBe(online !== undefined);
        if (isCurrent(world))
          expect(world.made.parents).toMatchObject([{ digest: versionOf("raw", world.raw).digest }]);
        if (isCurrent(world)) expect(world.made.recipe).toBe(recipeDigestOf(world.object));
      }
      for (let round = 0; world.raw > 0 && round < 3; round++) {
        for (const what of ["minutes", "complete"] as const) world.happen({ what, value: 11 });
        world.settle();
      }
      expect(isCurrent(world)).toBe(world.raw > 0);
    }),
    { numRuns: 500 },
  );
});

const trainingJobs = fc.record({
  triggers: fc.record({ datasetChange: fc.boolean() }),
  suspend: fc.boolean(),
  historyLimit: fc.integer({ min: 1, max: 3 }),
});

test("a TrainingJob comes to rest, with one Job a run and no run twice", () => {
  fc.assert(
    fc.property(trainingJobs, happenings, (spec, events) => {
      const world = new TrainingSimulation(trainingJob(spec));
      world.settle();
      for (const event of events) {
        const succeeded = world.runs.filter(({ phase }) => phase === "Succeeded").map(({ digest }) => digest);
        const before = new Set(world.jobs.map(({ metadata }) => metadata.uid));
        world.happen(event);
        world.settle();
        const digests = world.jobs.map((job) => runOf(job)?.digest);
        expect(new Set(digests).size).toBe(digests.length);
        const fresh = world.jobs.filter(({ metadata }) => !before.has(metadata.uid)).map((job) => runOf(job)?.digest);
        for (const digest of fresh) expect(succeeded).not.toContain(digest);
      }
    }),
  );
});

test("a Model comes to rest, and its champion has passed", () => {
  fc.assert(
    fc.property(fc.constantFrom("Automatic", "Manual"), happenings, (promotion, events) => {
      const world = new ModelSimulation(model({ promotion, gates: [{ metric: "accuracy", min: 0.5 }] }));
      world.settle();
      for (const event of events) {
        world.happen(event);
        world.settle();
        const champion = world.found.versions.find(({ version }) => version === world.found.aliases.champion);
        expect(world.object.status?.champion).toBe(world.found.aliases.champion);
        if (champion) expect(champion.decision?.verdict).toBe("Passed");
        if (promotion === "Manual") expect(champion).toBeUndefined();
      }
    }),
  );
});

test("an InferenceService comes to rest, and moves its traffic only to a revision that is ready", () => {
  fc.assert(
    fc.property(happenings, (events) => {
      const world = new ServiceSimulation(inferenceService());
      world.settle();
      for (const event of events) {
        const before = world.front?.spec?.selector?.[labels.workload];
        world.happen(event);
        const seen = new Map(world.deployments.map((deployment) => [deployment.metadata.name, deployment]));
        world.settle();
        const after = world.front?.spec?.selector?.[labels.workload];
        const target = after && seen.get(after);
        if (after !== before) expect(target && isServing(target, target.spec?.replicas ?? 0)).toBe(true);
        expect(world.deployments.map(({ metadata }) => metadata.name)).toContain(after);
      }
    }),
  );
});
