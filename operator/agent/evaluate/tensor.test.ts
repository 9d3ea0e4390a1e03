import { describe, expect, test } from "vitest";
import { asProbabilities, className, readPredictions, sortedClasses } from "./classes.ts";
import { chooseEncoder, type Feature } from "./features.ts";
import { parseOutputs, requestJson } from "./tensor.ts";

const feature = (name: string, type: Feature["type"], index: number, nullable = false): Feature => ({
  name,
  type,
  index,
  nullable,
});

describe("rows become tensors", () => {
  const numbers = [feature("a", "Double", 0), feature("b", "Int64", 1)];

  test("of one input: a matrix", () => {
    const encode = chooseEncoder([{ name: "x", datatype: "FP32" }], numbers);
    expect(
      encode([
        [1.5, 2n],
        [Number.NaN, 4n],
      ]),
    ).toEqual({
      inputs: [{ name: "x", shape: [2, 2], datatype: "FP64", data: [1.5, 2, null, 4] }],
    });
  });

  test("of no input that the model names: a column each, for pandas", () => {
    const encode = chooseEncoder([], [...numbers, feature("c", "String", 2), feature("d", "Int64", 3, true)]);
    const request = encode([[1.5, 2n, "x", null]]);
    expect(request.parameters).toEqual({ content_type: "pd" });
    expect(request.inputs.map(({ datatype, data }) => [datatype, ...data])).toEqual([
      ["FP64", 1.5],
      ["INT64", 2n],
      ["BYTES", "x"],
      ["FP64", null],
    ]);
    expect(JSON.parse(requestJson(request)).inputs[1].data).toEqual([2]);
  });

  test("with integers of 64 bits whole", () => {
    const encode = chooseEncoder([], [feature("id", "Int64", 0)]);
    expect(requestJson(encode([[9007199254740993n]]))).toContain('"data":[9007199254740993]');
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "text for a matrix",
      () => chooseEncoder([{ name: "x", datatype: "FP64" }], [feature("city", "String", 0)]),
      /city \(String\)/,
    ],
    [
      "a column that is not there",
      () =>
        chooseEncoder(
          [
            { name: "a", datatype: "FP64" },
            { name: "z", datatype: "FP64" },
          ],
          numbers,
        ),
      /input z/,
    ],
    [
      "a missing value where none can be",
      () =>
        chooseEncoder(
          [
            { name: "a", datatype: "FP64" },
            { name: "b", datatype: "INT64" },
          ],
          [feature("a", "Double", 0), feature("b", "Int64", 1, true)],
        ),
      /column b has missing values/,
    ],
    ["an infinite number", () => chooseEncoder([], numbers)([[Number.POSITIVE_INFINITY, 1n]]), /infinite/],
  ])("is refused: %s", (_, encode, says) => {
    expect(encode).toThrow(says);
  });
});

describe("an answer", () => {
  const output = (data: unknown[], shape: number[]) => ({
    outputs: [{ name: "predict", shape, datatype: "INT64", data }],
  });

  test("is read by rows, flat or nested", () => {
    expect(parseOutputs(output([1, 2, 3, 4], [2, 2]), 2)).toMatchObject([
      {
        rows: [
          [1, 2],
          [3, 4],
        ],
      },
    ]);
    expect(
      parseOutputs(
        output(
          [
            [1, 2],
            [3, 4],
          ],
          [2, 2],
        ),
        2,
      ),
    ).toMatchObject([
      {
        rows: [
          [1, 2],
          [3, 4],
        ],
      },
    ]);
  });

  test.each([
    ["that is none", { predictions: [1] }, /no outputs/],
    ["with too few rows", output([1], [1]), /1 values for 2 rows/],
    ["with a null", output([1, null], [2]), /no number, text or boolean/],
  ])("%s is said so", (_, body, says) => {
    expect(parseOutputs(body, 2)).toMatch(says);
  });
});

describe("classes", () => {
  test("have one spelling, wherever they come from", () => {
    expect([7, 7n, "7", "7.0"].map((value) => className(value, "Int64"))).toEqual(["7", "7", "7", "7"]);
    expect([true, "True", "1", 1].map((value) => className(value, "Boolean"))).toEqual([
      "true",
      "true",
      "true",
      "true",
    ]);
    expect(className("07", "String")).toBe("07");
  });

  test("are in scikit-learn's order", () => {
    expect(sortedClasses(["10", 9n, "-1"], "Int64")).toEqual(["-1", "9", "10"]);
    expect(sortedClasses(["b", "a", "B"], "String")).toEqual(["B", "a", "b"]);
  });

  const outputs = (...all: [string, (string | number)[][]][]) =>
    all.map(([name, rows]) => ({ name, datatype: "", rows }));

  test("are read from an output, from scores alone, or from both", () => {
    expect(readPredictions(outputs(["predict", [[1], [0]]]), ["0", "1"], "Int64")).toEqual({
      classes: ["1", "0"],
      scores: undefined,
    });
    const scores = [
      [0.1, 0.9],
      [0.8, 0.2],
    ];
    expect(readPredictions(outputs(["predict_proba", scores]), ["0", "1"], "Int64")).toEqual({
      classes: ["1", "0"],
      scores,
    });
    expect(readPredictions(outputs(["predict", [["b"], ["a"]]], ["p", scores]), ["a", "b"], "String")).toEqual({
      classes: ["b", "a"],
      scores,
    });
    expect(readPredictions(outputs(["predict", [[1, 2, 3]]]), ["0", "1"], "Int64")).toMatch(/3 values for a row/);
  });

  test("have probabilities only where the scores are that, in the classes' order", () => {
    const of = (rows: number[][], predicted: string[]) =>
      asProbabilities({ classes: predicted, scores: rows }, ["0", "1"]);
    expect(of([[0.1, 0.9]], ["1"])).toBeDefined();
    expect(of([[-2, 3]], ["1"])).toBeUndefined();
    expect(of([[0.9, 0.1]], ["1"])).toBeUndefined();
  });
});
