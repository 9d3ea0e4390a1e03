/** A histogram over other edges: each bin's rows go to the bins that it overlaps, in proportion to the overlap. */
import type { ColumnProfile } from "../store/api.ts";

type Histogram = NonNullable<ColumnProfile["histogram"]>;

interface Target {
  edges: readonly number[];
  /** Integers are counted, not lengths measured: of width 1.5, one bin holds two of them and the next one. */
  whole: boolean;
}

/**
 * Rows by the bins between `edges`; rows below the first edge and above the last one are in the outermost bins. Edges that
 * are one single point yield three counts: below, at, above.
 */
export function rebin(histogram: Histogram, { edges, whole }: Target): number[] {
  const first = edges[0] ?? 0;
  const last = edges.at(-1) ?? 0;
  const single = first === last;
  const inner = single ? [first, above(first, whole)] : edges.slice(1, -1);
  const bounds = [Number.NEGATIVE_INFINITY, ...inner, Number.POSITIVE_INFINITY];
  const same =
    !single && histogram.edges.length === edges.length && edges.every((edge, i) => edge === histogram.edges[i]);
  if (same) return [...histogram.counts];
  const rows = new Array<number>(bounds.length - 1).fill(0);
  histogram.counts.forEach((count, bin) => {
    if (count === 0) return;
    const from = histogram.edges[bin] ?? 0;
    const edge = histogram.edges[bin + 1] ?? from;
    // The last bin holds its upper edge too.
    const to = bin === histogram.counts.length - 1 ? above(edge, whole) : edge;
    const overlaps = (measure: (from: number, to: number) => number) =>
      rows.map((_, i) => {
        const [low, high] = [Math.max(from, bounds[i] ?? 0), Math.min(to, bounds[i + 1] ?? 0)];
        return high > low ? measure(low, high) : 0;
      });
    let parts = overlaps(whole ? integers : length);
    // An edge that was rounded past the bin's only integer, or edges that are too near to be told apart.
    if (sum(parts) === 0) parts = overlaps(length);
    if (sum(parts) === 0) parts = rows.map((_, i) => (from >= (bounds[i] ?? 0) && from < (bounds[i + 1] ?? 0) ? 1 : 0));
    const all = sum(parts);
    parts.forEach((part, i) => {
      rows[i] = (rows[i] ?? 0) + (count * part) / all;
    });
  });
  return rows;
}

/** The least number above `edge` that the column can have. */
function above(edge: number, whole: boolean): number {
  const next = edge + Math.max(Math.abs(edge) * Number.EPSILON, Number.MIN_VALUE);
  return whole ? Math.max(edge + 1, next) : next;
}

const integers = (from: number, to: number) => Math.ceil(to) - Math.ceil(from);
const length = (from: number, to: number) => to - from;
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
