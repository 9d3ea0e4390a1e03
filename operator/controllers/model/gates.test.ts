import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EvaluationMetric, evaluationMetrics } from "../../api/v1alpha1/model.ts";
import { gatesDigest, judge } from "./gates.ts";

const one = (gate: object, value: number, champion?: number) =>
  judge(
    [{ metric: "accuracy", ...gate }],
    { accuracy: value, rmse: value },
    champion === undefined ? undefined : { version: 1, metrics: { accuracy: champion, rmse: champion } },
  )[0];

describe("a gate", () => {
  test.each([
    ["at its min", { min: 0.9 }, 0.9, undefined, true, "accuracy 0.9 is at least min 0.9"],
    ["below its min", { min: 0.9 }, 0.8999, undefined, false, "accuracy 0.8999 is below min 0.9"],
    ["at its max", { max: 0.9 }, 0.9, undefined, true, "accuracy 0.9 is at most max 0.9"],
    ["above its max", { max: 0.9 }, 0.91, undefined, false, "accuracy 0.91 is above max 0.9"],
    [
      "as good as the champion",
      { against: "champion" },
      0.9,
      0.9,
      true,
      "accuracy 0.9 against champion 1's 0.9: +0 keeps minDelta 0",
    ],
    [
      "worse than the champion",
      { against: "champion" },
      0.8,
      0.9,
      false,
      "accuracy 0.8 against champion 1's 0.9: -0.1 breaks minDelta 0",
    ],
    [
      "a little worse, as allowed",
      { against: "champion", minDelta: -0.1 },
      0.8,
      0.9,
      true,
      "accuracy 0.8 against champion 1's 0.9: -0.1 keeps minDelta -0.1",
    ],
    [
      "too much better to be true",
      { against: "champion", maxDelta: 0.05 },
      0.96,
      0.9,
      false,
      "accuracy 0.96 against champion 1's 0.9: +0.06 breaks maxDelta 0.05",
    ],
    [
      "of an error that is smaller",
      { metric: "rmse", against: "champion" },
      1,
      2,
      true,
      "rmse 1 against champion 1's 2: -1 keeps maxDelta 0",
    ],
    [
      "of an error that is greater",
      { metric: "rmse", against: "champion" },
      3,
      2,
      false,
      "rmse 3 against champion 1's 2: +1 breaks maxDelta 0",
    ],
    [
      "without a champion",
      { against: "champion" },
      0.1,
      undefined,
      true,
      "accuracy 0.1: there is no champion to compare with",
    ],
    [
      "with two bounds, one of them broken",
      { min: 0.5, max: 0.7 },
      0.8,
      undefined,
      false,
      "accuracy 0.8 is above max 0.7",
    ],
  ])("%s", (_, gate, value, champion, passed, message) => {
    expect(one(gate, value, champion)).toMatchObject({ passed, message });
  });

  test("on a metric that was not measured fails", () => {
    const [result] = judge([{ metric: "roc_auc", min: 0.5 }], { accuracy: 1 }, undefined);
    expect(result).toMatchObject({ passed: false, message: expect.stringContaining("roc_auc was not measured") });
  });

  test("against a champion that can't be measured on this data passes", () => {
    const [result] = judge(
      [{ metric: "accuracy", against: "champion" }],
      { accuracy: 0.1 },
      { version: 3, metrics: undefined },
    );
    expect(result).toMatchObject({ passed: true, message: expect.stringContaining("champion 3 can't be measured") });
  });
});

const value = fc.double({ min: -1000, max: 1000, noNaN: true });

test("a version is never worse than itself", () => {
  const metric = fc.constantFrom<EvaluationMetric>(...evaluationMetrics);
  fc.assert(
    fc.property(metric, value, (name, found) => {
      const metrics = { [name]: found };
      expect(judge([{ metric: name, against: "champion" }], metrics, { version: 1, metrics })[0]?.passed).toBe(true);
    }),
  );
});

test("what passes a min passes every smaller one", () => {
  fc.assert(
    fc.property(value, value, value, (found, a, b) => {
      const passes = (min: number) => judge([{ metric: "r2", min }], { r2: found }, undefined)[0]?.passed;
      if (passes(Math.max(a, b))) expect(passes(Math.min(a, b))).toBe(true);
    }),
  );
});

test("the digest tells lists of gates apart", () => {
  expect(gatesDigest([{ metric: "accuracy", min: 0.9 }])).toBe(gatesDigest([{ min: 0.9, metric: "accuracy" }]));
  expect(gatesDigest([{ metric: "accuracy", min: 0.9 }])).not.toBe(gatesDigest([{ metric: "accuracy", min: 0.8 }]));
});
