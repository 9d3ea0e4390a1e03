/** Quality of predicted classes. Definitions and edge cases are scikit-learn's (sklearn.metrics). */

/** Probabilities by row, one for each class in the order of `classes`. */
export interface Probabilities {
  classes: readonly string[];
  rows: readonly (readonly number[])[];
}

/** The share of rows whose predicted class is the true one. */
export function accuracy(truth: readonly string[], predicted: readonly string[]): number {
  return truth.filter((label, row) => label === predicted[row]).length / truth.length;
}

interface Scores {
  precision: number;
  recall: number;
  f1: number;
}

/** Of one class against all others; a ratio without cases is 0. */
export function classScores(truth: readonly string[], predicted: readonly string[], positive: string): Scores {
  let hits = 0;
  let claimed = 0;
  let actual = 0;
  truth.forEach((label, row) => {
    if (predicted[row] === positive) claimed += 1;
    if (label === positive) actual += 1;
    if (label === positive && predicted[row] === positive) hits += 1;
  });
  return {
    precision: claimed === 0 ? 0 : hits / claimed,
    recall: actual === 0 ? 0 : hits / actual,
    f1: claimed + actual === 0 ? 0 : (2 * hits) / (claimed + actual),
  };
}

/** The unweighted mean over all classes that are true or predicted somewhere. */
export function macroScores(truth: readonly string[], predicted: readonly string[]): Scores {
  const scores = [...new Set([...truth, ...predicted])].map((label) => classScores(truth, predicted, label));
  const mean = (key: keyof Scores) => scores.reduce((sum, score) => sum + score[key], 0) / scores.length;
  return { precision: mean("precision"), recall: mean("recall"), f1: mean("f1") };
}

/** Mean negative logarithm of the true class's probability, which is kept within the double's epsilon of 0 and 1. */
export function logLoss(truth: readonly string[], { classes, rows }: Probabilities): number {
  const column = new Map(classes.map((name, index) => [name, index]));
  let sum = 0;
  truth.forEach((label, row) => {
    const probability = rows[row]?.[column.get(label) ?? -1] ?? 0;
    sum -= Math.log(Math.min(Math.max(probability, Number.EPSILON), 1 - Number.EPSILON));
  });
  return sum / truth.length;
}

/**
 * Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half (the
 * Mann-Whitney rank statistic). Undefined when there are only positives or only negatives.
 */
export function rocAuc(positive: readonly boolean[], scores: readonly number[]): number | undefined {
  const order = scores.map((_, index) => index).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  const positives = positive.filter(Boolean).length;
  const negatives = positive.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  let rankSum = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && scores[order[end] ?? 0] === scores[order[start] ?? 0]) end += 1;
    const rank = (start + end + 1) / 2;
    for (let index = start; index < end; index++) if (positive[order[index] ?? 0]) rankSum += rank;
    start = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Of two classes the second's; of more, the mean of each against the rest. Undefined when a class has no rows. */
export function classRocAuc(truth: readonly string[], { classes, rows }: Probabilities): number | undefined {
  const judged = classes.length === 2 ? [1] : classes.map((_, index) => index);
  let sum = 0;
  for (const index of judged) {
    const area = rocAuc(
      truth.map((label) => label === classes[index]),
      rows.map((row) => row[index] ?? 0),
    );
    if (area === undefined) return undefined;
    sum += area;
  }
  return sum / judged.length;
}

/**
 * All metrics of a classifier. Of two classes (in the whole dataset) precision, recall and f1 are those of the positive
 * class, the larger one by sort order (1 of 0 and 1, yes of no and yes); of more they are macro means.
 */
export function classificationMetrics(
  truth: readonly string[],
  predicted: readonly string[],
  { classes, probabilities }: { classes: readonly string[]; probabilities?: Probabilities | undefined },
): Record<string, number> {
  const positive = classes.length === 2 ? classes[1] : undefined;
  const scores = positive === undefined ? macroScores(truth, predicted) : classScores(truth, predicted, positive);
  const area = probabilities && classRocAuc(truth, probabilities);
  return {
    accuracy: accuracy(truth, predicted),
    ...scores,
    ...(probabilities ? { log_loss: logLoss(truth, probabilities) } : {}),
    ...(area !== undefined ? { roc_auc: area } : {}),
  };
}
