/** What becomes of a look that is under way when the manifest or the inputs go back to those of the version that is there. */
import { describe, expect, test } from "vitest";
import { DatasetSimulation } from "../../../test/builders/dataset-simulation.ts";
import { derivedDataset, versionOf } from "../../../test/builders/datasets.ts";
import { dataset } from "../../../test/builders/kinds.ts";
import { isFinished } from "../children/types.ts";
import { recipeDigestOf } from "./look.ts";

const readyOf = ({ object }: DatasetSimulation) => object.status?.conditions?.find(({ type }) => type === "Ready");

describe("a look that nobody wants any more, as all is again as it was", () => {
  const edit = (world: DatasetSimulation, value: number) => {
    world.happen({ what: "edit", value });
    world.settle();
  };
  const completeAll = (world: DatasetSimulation) => {
    for (let round = 0; round < 3; round++) {
      world.happen({ what: "minutes", value: 1 });
      world.happen({ what: "complete", value: 1 });
      world.settle();
    }
  };
  function derivedFromFirst(): DatasetSimulation {
    const world = new DatasetSimulation(derivedDataset("wine", ["raw"]));
    world.raw = 1;
    world.settle();
    completeAll(world);
    return world;
  }
  const move = (world: DatasetSimulation, raw: number) => {
    world.raw = raw;
    world.settle();
  };

  test("is ended, and leaves the version that is right", () => {
    const world = derivedFromFirst();
    move(world, 2);
    move(world, 1);
    expect(world.jobs.every(isFinished)).toBe(true);
    expect(world.object.status).toMatchObject({ version: 1, parents: [{ digest: versionOf("raw", 1).digest }] });
    expect(readyOf(world)).toMatchObject({ status: "True", reason: "VersionCurrent" });
  });

  test("and has registered its version of other inputs is made up for", () => {
    const world = derivedFromFirst();
    move(world, 2);
    world.happen({ what: "registered", value: 1 });
    move(world, 1);
    expect(readyOf(world)?.reason).toBe("Deriving");
    completeAll(world);
    expect(world.object.status).toMatchObject({ parents: [{ digest: versionOf("raw", 1).digest }] });
    expect(readyOf(world)?.reason).toBe("VersionCurrent");
  });

  test("and has registered its version of another manifest is made up for", () => {
    const world = new DatasetSimulation(dataset({ splitSeed: 1 }));
    world.settle();
    completeAll(world);
    edit(world, 3);
    world.happen({ what: "registered", value: 1 });
    edit(world, 1);
    expect(readyOf(world)?.reason).toBe("Snapshotting");
    completeAll(world);
    expect(readyOf(world)?.reason).toBe("VersionCurrent");
    expect(world.made.recipe).toBe(recipeDigestOf(world.object));
  });
});
