/**
 * The population stability index: how far a column has drifted from a reference, over the reference's bins.
 *
 *   PSI = Σ (cᵢ − rᵢ) · ln(cᵢ / rᵢ)      rᵢ, cᵢ: the share of rows in bin i, in the reference and now
 *
 * It is the symmetric Kullback-Leibler (Jeffreys) divergence of the two. Formula and the thresholds 0.1 and 0.25:
 * N. Siddiqi, Credit Risk Scorecards, Wiley 2006; its distribution under no change: B. Yurdakul, J. Naranjo,
 * "Statistical properties of the population stability index", Journal of Risk Model Validation 14(4), 2020.
 *
 * - Numbers and times: the reference's histogram; neighbours with less than 5 % of its rows are joined (Siddiqi's rule: smaller bins
 *   measure chance). A run of empty bins stays one of its own, so that rows that come to where none were are seen.
 *   Values outside go to the outermost bins; of a reference with one single value, to a bin below and a bin above it.
 * - Values of few kinds (text, Booleans, numbers with a complete list): the reference's most frequent values and all others.
 * - Nulls are a bin, infinite numbers another. An empty bin counts as half a row, and as no less than 0.0001.
 */
import type { ColumnProfile } from "../store/api.ts";
import { rebin } from "./rebin.ts";

const leastShare = 0.0001;
const joinedShare = 0.05;
const daySeconds = 86_400;

export interface Drift {
  psi: number;
  /** What 95 of 100 comparisons of as many rows stay below when nothing has changed; a PSI below it tells nothing. */
  chance: number;
}

/** Rows by bin; both lists are of one length, and in the same order. */
interface Bins {
  reference: number[];
  current: number[];
}

/** Undefined where there is nothing to compare: no rows, other types, or values withheld. */
export function columnDrift(reference: ColumnProfile, current: ColumnProfile): Drift | undefined {
  if (reference.count === 0 || current.count === 0) return undefined;
  const values = valueBins(reference, current) ?? histogramBins(reference, current);
  if (!values) return undefined;
  const bins: Bins = {
    reference: [...values.reference, reference.nulls, rest(reference, values.reference)],
    current: [...values.current, current.nulls, rest(current, values.current)],
  };
  const used = bins.reference.filter((count, bin) => count > 0 || (bins.current[bin] ?? 0) > 0).length;
  return {
    psi: stabilityIndex(bins.reference, bins.current),
    chance: chiSquared95(used - 1) * (1 / reference.count + 1 / current.count),
  };
}

/** Of counts in the same bins. Bins that are empty on both sides are left out. */
export function stabilityIndex(reference: readonly number[], current: readonly number[]): number {
  const [before, now] = [shares(reference), shares(current)];
  return before.reduce((sum, share, bin) => {
    if (!reference[bin] && !current[bin]) return sum;
    const other = now[bin] ?? 0;
    return sum + (other - share) * Math.log(other / share);
  }, 0);
}

function shares(counts: readonly number[]): number[] {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const least = Math.max(leastShare, 0.5 / Math.max(rows, 1));
  return counts.map((count) => Math.max(rows > 0 ? count / rows : 0, least));
}

/** Rows that are neither null nor in a bin: infinite numbers. */
function rest({ count, nulls }: ColumnProfile, bins: readonly number[]): number {
  return Math.max(0, Math.round(count - nulls - bins.reduce((sum, rows) => sum + rows, 0)));
}

const isNumeric = ({ type }: ColumnProfile) => type === "Int64" || type === "Double";
const hasNoValues = ({ count, nulls }: ColumnProfile) => count === nulls;

function valueBins(reference: ColumnProfile, current: ColumnProfile): Bins | undefined {
  const listed = reference.topValues ?? (hasNoValues(reference) ? [] : undefined);
  const found = current.topValues ?? (hasNoValues(current) ? [] : undefined);
  if (!listed || !found || reference.type !== current.type) return undefined;
  const valued = reference.count - reference.nulls;
  const known = listed.reduce((sum, { count }) => sum + count, 0);
  // Numbers of many kinds have an order that tells more than the most frequent ones.
  if (isNumeric(reference) && known < valued) return undefined;
  const counts = new Map(found.map(({ value, count }) => [value, count]));
  const isWhole = found.reduce((sum, { count }) => sum + count, 0) >= current.count - current.nulls;
  const last = isWhole ? 0 : (found.at(-1)?.count ?? 0);
  // What a list is too short for is taken to be as it was, as far as the list allows.
  const now = listed.map(
    ({ value, count }) => counts.get(value) ?? Math.min(last, (count / reference.count) * current.count),
  );
  const others = current.count - current.nulls - now.reduce((sum, count) => sum + count, 0);
  return {
    reference: [...listed.map(({ count }) => count), Math.max(0, valued - known)],
    current: [...now, Math.max(0, others)],
  };
}

function histogramBins(reference: ColumnProfile, current: ColumnProfile): Bins | undefined {
  const isTime = reference.type === "Date" || reference.type === "Timestamp";
  if (isTime ? reference.type !== current.type : !isNumeric(reference) || !isNumeric(current)) return undefined;
  if (!current.histogram && !hasNoValues(current)) return undefined;
  const whole = reference.type === current.type && (reference.type === "Int64" || reference.type === "Date");
  if (!reference.histogram) {
    if (!hasNoValues(reference)) return undefined;
    return { reference: [0], current: [current.count - current.nulls] };
  }
  // Dates are whole days.
  const scale = reference.type === "Date" ? daySeconds : 1;
  const scaled = (edges: readonly number[] = []) => edges.map((edge) => edge / scale);
  const { counts } = reference.histogram;
  const edges = scaled(reference.histogram.edges);
  const from = { edges: scaled(current.histogram?.edges), counts: current.histogram?.counts ?? [] };
  const now = rebin(from, { edges, whole });
  // A single value has a bin below and a bin above it.
  if (edges[0] === edges.at(-1)) return { reference: [0, counts[0] ?? 0, 0], current: now };
  return join(counts, now, reference.count * joinedShare);
}

/** Joins neighbours of few reference rows; the last ones, if they are too few, with those before them. */
function join(reference: readonly number[], current: readonly number[], least: number): Bins {
  const joined: Bins = { reference: [], current: [] };
  const add = (bin: number, rows: number, others: number) => {
    joined.reference[bin] = (joined.reference[bin] ?? 0) + rows;
    joined.current[bin] = (joined.current[bin] ?? 0) + others;
  };
  let bin = 0;
  reference.forEach((rows, index) => {
    const previous = reference[index - 1];
    const full = (joined.reference[bin] ?? 0) >= least;
    if (previous !== undefined && ((previous === 0) !== (rows === 0) || (rows > 0 && full))) bin++;
    add(bin, rows, current[index] ?? 0);
  });
  const last = joined.reference.at(-1) ?? 0;
  const before = joined.reference.at(-2) ?? 0;
  if (last > 0 && last < least && before > 0) {
    add(bin - 1, last, joined.current[bin] ?? 0);
    joined.reference.pop();
    joined.current.pop();
  }
  return joined;
}

/** The 95th percentile of the chi-squared distribution, by Wilson and Hilferty's approximation (1931). */
function chiSquared95(freedom: number): number {
  if (freedom < 1) return 0;
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + 1.6449 * Math.sqrt(spread)) ** 3;
}
