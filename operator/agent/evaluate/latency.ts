/** The value at a percentile (0 to 100) of a sorted list, between two by linear interpolation, as numpy.percentile does. */
export function percentile(sorted: readonly number[], percent: number): number {
  const position = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(position);
  const low = sorted[below] ?? 0;
  const high = sorted[below + 1] ?? low;
  return low + (high - low) * (position - below);
}

/** Latency metrics of single requests, in milliseconds. */
export function latencyMetrics(milliseconds: readonly number[]): Record<string, number> {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  return { latency_p50_ms: percentile(sorted, 50), latency_p99_ms: percentile(sorted, 99) };
}
