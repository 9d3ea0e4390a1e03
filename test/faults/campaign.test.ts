import { expect, test } from "vitest";
import { type Scene, writtenSince } from "./campaign.ts";
import type { Write } from "./proxy.ts";

const write = (status: number) => ({
  writer: "lemnis-0",
  write: { verb: "patch", plural: "jobs", name: "wine", status } as Write,
});
const sceneOf = (...statuses: number[]) => ({ crew: { writes: () => statuses.map(write) } }) as unknown as Scene;

test.each<[string, number[], number]>([
  ["one that is taken", [200], 1],
  ["one that is refused again and again", [409, 409, 409, 409], 1],
  ["one that was refused before and is tried once", [422], 0],
])("S5: a write at rest, %s", async (_, statuses, found) => {
  expect(await writtenSince(sceneOf(200, ...statuses), 1, "a restart")).toHaveLength(found);
});
