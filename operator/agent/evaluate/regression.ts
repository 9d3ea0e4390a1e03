/** Quality of predicted numbers: mean absolute error, root mean squared error, and r2 unless the truth is constant. */
export function regressionMetrics(truth: readonly number[], predicted: readonly number[]): Record<string, number> {
  const rows = truth.length;
  const mean = truth.reduce((sum, value) => sum + value / rows, 0);
  let absolute = 0;
  let squared = 0;
  let variance = 0;
  truth.forEach((value, row) => {
    const error = value - (predicted[row] ?? 0);
    absolute += Math.abs(error);
    squared += error * error;
    variance += (value - mean) ** 2;
  });
  // One row has no variance, and rounding must not make one up for equal values.
  const constant = truth.every((value) => value === truth[0]);
  return {
    mae: absolute / rows,
    rmse: Math.sqrt(squared / rows),
    ...(constant ? {} : { r2: 1 - squared / variance }),
  };
}
