import { describe, expect, test } from "vitest";
import { digestOf, model } from "../../../test/builders/kinds.ts";
import { decision, modelRecord, modelVersion } from "../../../test/builders/records.ts";
import { resolveAliases } from "./aliases.ts";

const judged = (version: number, verdict: "Passed" | "Failed") =>
  modelVersion(version, { decision: decision(verdict, digestOf("gates"), "too bad") });
const versions = [judged(1, "Passed"), judged(2, "Passed"), judged(3, "Failed"), modelVersion(4)];

describe("champion", () => {
  test.each([
    ["is the newest version that passed", {}, 1, 2],
    ["is what the manifest pins, also an older version", { aliases: { champion: 1 } }, 2, 1],
    ["stays with promotion Manual", { promotion: "Manual" }, 1, 1],
    ["is nobody with promotion Manual and no pin", { promotion: "Manual" }, undefined, undefined],
    ["moves by a pin with promotion Manual", { promotion: "Manual", aliases: { champion: 2 } }, 1, 2],
    ["stays where the pin can't be followed", { aliases: { champion: 3 } }, 1, 1],
  ])("%s", (_, spec, before, after) => {
    const record = modelRecord(versions, before ? { champion: before } : {});
    expect(resolveAliases(model(spec), record).wanted.champion).toBe(after);
  });
});

test.each([
  [9, "spec.aliases.stable: version 9 does not exist; the newest is 4"],
  [4, "spec.aliases.stable: version 4 has not been judged yet"],
  [3, "spec.aliases.stable: version 3 failed its gates: too bad"],
])("a pin to version %i is refused in words", (stable, problem) => {
  const aliases = resolveAliases(model({ aliases: { stable } }), modelRecord(versions));
  expect(aliases.problem).toBe(problem);
  expect(aliases.wanted.stable).toBeUndefined();
});

test("an alias that the manifest gives up is gone, champion alone outlives it", () => {
  expect(resolveAliases(model(), modelRecord(versions, { champion: 2, stable: 1 })).wanted).toEqual({ champion: 2 });
});
