import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accuracy, classificationMetrics, classRocAuc, logLoss, rocAuc } from "./classification.ts";

/** Expected values are those of scikit-learn 1.9 (sklearn.metrics) on the same rows. */
describe("two classes", () => {
  const truth = ["0", "0", "1", "1", "1", "0"];
  const predicted = ["0", "1", "1", "1", "0", "0"];
  const rows = [0.1, 0.6, 0.8, 0.7, 0.4, 0.2].map((p) => [1 - p, p]);

  test("are judged by the larger one", () => {
    const metrics = classificationMetrics(truth, predicted, {
      classes: ["0", "1"],
      probabilities: { classes: ["0", "1"], rows },
    });
    expect(metrics.accuracy).toBeCloseTo(0.666667, 6);
    expect(metrics.precision).toBeCloseTo(0.666667, 6);
    expect(metrics.recall).toBeCloseTo(0.666667, 6);
    expect(metrics.f1).toBeCloseTo(0.666667, 6);
    expect(metrics.log_loss).toBeCloseTo(0.456817, 6);
    expect(metrics.roc_auc).toBeCloseTo(0.888889, 6);
  });

  test("one of which is never predicted has the scores 0, not NaN", () => {
    const metrics = classificationMetrics(["0", "1"], ["0", "0"], { classes: ["0", "1"] });
    expect(metrics).toEqual({ accuracy: 0.5, precision: 0, recall: 0, f1: 0 });
  });
});

describe("three classes", () => {
  const truth = ["a", "b", "c", "a", "b", "c"];
  const predicted = ["a", "c", "c", "a", "b", "b"];

  test("are judged by the mean over the classes", () => {
    const { precision, recall, f1 } = classificationMetrics(truth, predicted, { classes: ["a", "b", "c"] });
    expect([precision, recall, f1].map((value) => Number(value?.toFixed(6)))).toEqual([0.666667, 0.666667, 0.666667]);
  });

  test("have the area of each against the rest", () => {
    const rows = [
      [0.8, 0.1, 0.1],
      [0.2, 0.3, 0.5],
      [0.1, 0.2, 0.7],
      [0.6, 0.3, 0.1],
      [0.1, 0.7, 0.2],
      [0.3, 0.5, 0.2],
    ];
    expect(classRocAuc(truth, { classes: ["a", "b", "c"], rows })).toBeCloseTo(0.875, 9);
  });

  test("that are not all there have no area", () => {
    expect(
      classRocAuc(["a", "b"], {
        classes: ["a", "b", "c"],
        rows: [
          [1, 0, 0],
          [0, 1, 0],
        ],
      }),
    ).toBeUndefined();
  });
});

test("a perfect answer has the best scores, and certainty that is wrong costs much but not everything", () => {
  const certain = {
    classes: ["0", "1"],
    rows: [
      [1, 0],
      [0, 1],
    ],
  };
  const metrics = classificationMetrics(["0", "1"], ["0", "1"], { classes: ["0", "1"], probabilities: certain });
  expect(metrics).toMatchObject({ accuracy: 1, f1: 1, roc_auc: 1 });
  expect(metrics.log_loss).toBeCloseTo(0, 12);
  expect(logLoss(["1", "0"], certain)).toBeCloseTo(36.04365, 4);
});

test("one class alone has no area", () => {
  expect(rocAuc([true, true], [0.1, 0.9])).toBeUndefined();
});

test("the area is the chance that a positive scores above a negative", () => {
  const row = fc.record({ positive: fc.boolean(), score: fc.integer({ min: 0, max: 5 }) });
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 30 }), (rows) => {
      const pairs = rows.flatMap((a) =>
        rows.flatMap((b) => (a.positive && !b.positive ? [[a.score, b.score] as const] : [])),
      );
      const won = pairs.reduce((sum, [a, b]) => sum + (a > b ? 1 : a === b ? 0.5 : 0), 0);
      const area = rocAuc(
        rows.map(({ positive }) => positive),
        rows.map(({ score }) => score),
      );
      if (pairs.length === 0) expect(area).toBeUndefined();
      else expect(area).toBeCloseTo(won / pairs.length, 9);
    }),
  );
});

test("accuracy is the share of rows that are right", () => {
  expect(accuracy(["a", "b", "c", "d"], ["a", "b", "x", "d"])).toBe(0.75);
});
