import type { ColumnType } from "../../store/api.ts";
import type { Probabilities } from "./classification.ts";
import type { Cell, Output } from "./tensor.ts";

/** A class in one spelling, whether it comes from the data (7, 7n, 7.0) or from a runtime ("7", 7.0, true). */
export function className(value: Cell | bigint, type: ColumnType): string {
  if (type === "Boolean") {
    const text = String(value).toLowerCase();
    return text === "1" ? "true" : text === "0" ? "false" : text;
  }
  if (type === "Int64" || type === "Double") {
    const number = typeof value === "boolean" ? Number(value) : value;
    return typeof number === "string" && number.trim() !== "" && !Number.isNaN(Number(number))
      ? String(Number(number))
      : String(number);
  }
  return String(value);
}

/** The label's classes, in sort order: that of scikit-learn's classes_. */
export function sortedClasses(values: readonly (Cell | bigint)[], type: ColumnType): string[] {
  const names = values.map((value) => className(value, type));
  const numeric = type === "Int64" || type === "Double";
  return numeric ? names.sort((a, b) => Number(a) - Number(b)) : names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export interface Predictions {
  classes: string[];
  /** Scores by row where the runtime gave one for each class. */
  scores: number[][] | undefined;
}

/** Reads classes, and their scores if any, from an answer. Scores alone name the class that scores highest. */
export function readPredictions(
  outputs: readonly Output[],
  classes: readonly string[],
  type: ColumnType,
): Predictions | string {
  const scored = outputs.find(({ rows }) => classes.length > 1 && isScores(rows, classes.length));
  const scores = scored?.rows as number[][] | undefined;
  const named = outputs.find(({ name }) => name === "predict") ?? outputs.find((output) => output !== scored);
  if (named && named !== scored) {
    if (named.rows[0]?.length !== 1)
      return `output ${named.name} has ${named.rows[0]?.length} values for a row where one class is wanted`;
    return { classes: named.rows.map(([cell]) => className(cell ?? "", type)), scores };
  }
  if (!scores) return "the runtime gave no output that holds a class";
  return { classes: scores.map((row) => classes[argmax(row)] ?? ""), scores };
}

function isScores(rows: readonly (readonly Cell[])[], width: number): boolean {
  return rows.every((row) => row.length === width && row.every((cell) => typeof cell === "number"));
}

export function argmax(row: readonly number[]): number {
  return row.reduce((best, value, index) => (value > (row[best] ?? Number.NEGATIVE_INFINITY) ? index : best), 0);
}

/** The share of rows in which the highest score must be the predicted class's. */
const agreement = 0.99;

/** The scores as probabilities by class, if they are that: between 0 and 1, and in the classes' order. */
export function asProbabilities(predictions: Predictions, classes: readonly string[]): Probabilities | undefined {
  const { scores } = predictions;
  if (!scores?.every((row) => row.every((value) => value >= 0 && value <= 1))) return undefined;
  const agreeing = scores.filter((row, index) => classes[argmax(row)] === predictions.classes[index]).length;
  return agreeing >= agreement * scores.length ? { classes, rows: scores } : undefined;
}
