import { expect, test } from "vitest";
import type { Progress } from "./dataset-api.ts";
import { ProgressBoard } from "./progress.ts";

const reading = (bytes: number): Progress => ({ phase: "Reading", bytes });

test("what was told last is known for a minute, by namespace and dataset", () => {
  let now = 0;
  const board = new ProgressBoard(() => now);
  board.put("a", "wine", reading(1));
  board.put("a", "wine", reading(2));
  expect(board.get("a", "wine")).toEqual(reading(2));
  expect(board.get("b", "wine")).toBeUndefined();
  now = 59_999;
  expect(board.get("a", "wine")).toEqual(reading(2));
  now = 60_000;
  expect(board.get("a", "wine")).toBeUndefined();
});

test("a reading that has ended is forgotten", () => {
  const board = new ProgressBoard();
  board.put("a", "wine", reading(1));
  board.clear("a", "wine");
  expect(board.get("a", "wine")).toBeUndefined();
});

test("nothing grows with the number of datasets", () => {
  const board = new ProgressBoard();
  for (let index = 0; index <= 10_000; index++) board.put("a", `d${index}`, reading(index));
  expect(board.get("a", "d0")).toBeUndefined();
  expect(board.get("a", "d1")).toEqual(reading(1));
  expect(board.get("a", "d10000")).toEqual(reading(10_000));
});
