import { expect, test } from "vitest";
import { featuresOf } from "./features.ts";

test("columns with a role are no features", () => {
  const columns = [
    { name: "customer", type: "Int64", cell: "c0", role: "Key" },
    { name: "seen", type: "Timestamp", cell: "c1", role: "Timestamp" },
    { name: "amount", type: "Double", cell: "c2" },
    { name: "weight", type: "Double", cell: "c3", role: "Weight" },
    { name: "shop", type: "String", cell: "c4" },
    { name: "fraud", type: "Int64", cell: "c5", role: "Label" },
  ] as const;
  expect(featuresOf(columns, new Set(["shop"]))).toEqual([
    { name: "amount", type: "Double", index: 2, nullable: false },
    { name: "shop", type: "String", index: 4, nullable: true },
  ]);
});
