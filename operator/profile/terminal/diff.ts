/** Two versions beside each other in a terminal. */
import type { ColumnComparison, Comparison } from "../compare.ts";
import { formatBytes, formatChange, formatNumber, formatPair, formatShare, formatTime, plural } from "../format.ts";
import { commonBins, commonValues } from "../shape.ts";
import type { Subject } from "../subject.ts";
import { sparkline } from "./profile.ts";
import { type Cell, type TableColumn, tableLines } from "./table.ts";
import { harmless, type Ink, painter, type Screen } from "./text.ts";

const verdictInk: Record<string, Ink | undefined> = { little: "green", moderate: "yellow", much: "red" };
const columns: TableColumn[] = [
  { title: "COLUMN", most: 28 },
  { title: "CHANGE" },
  { title: "PSI", right: true },
  { title: "NULLS", right: true },
  { title: "DISTINCT", right: true, spare: 2 },
  { title: "MEAN", right: true, most: 24, spare: 1 },
  { title: "MEDIAN", right: true, most: 24, spare: 3 },
  { title: "BEFORE", most: 30, spare: 0 },
  { title: "AFTER", most: 30, spare: 0 },
];

export function renderDiff({ dataset, namespace }: Subject, comparison: Comparison, screen: Screen): string {
  const { before, after } = comparison;
  const paint = painter(screen);
  const facts = [
    `rows ${counts(before.rows, after.rows, formatNumber)}`,
    `size ${counts(before.bytes, after.bytes, formatBytes)}`,
    `created ${formatTime(before.createdAt)} → ${formatTime(after.createdAt)}`,
  ];
  const lines = [
    paint(`${namespace}/${dataset} version ${before.version} → ${after.version}`, "bold"),
    facts.join(" · "),
    summary(comparison),
  ];
  if (before.digest === after.digest) return `${lines[0]}\n\nThe same version: nothing has changed.\n`;
  if (comparison.columns.length === 0) return `${lines.slice(0, 2).join("\n")}\n`;
  const rows = comparison.columns.map((column) => row(column));
  return `${lines.join("\n")}\n\n${tableLines(columns, rows, screen).join("\n")}\n`;
}

/** "2 columns drifted much, 1 moderately; 1 added, 0 removed, 0 retyped" */
function summary({ columns }: Comparison): string {
  const count = (test: (column: ColumnComparison) => boolean) => columns.filter(test).length;
  const drifted = `${plural(
    count(({ drift }) => drift?.verdict === "much"),
    "column",
  )} drifted much, ${count(({ drift }) => drift?.verdict === "moderate")} moderately`;
  const changes = (["Added", "Removed", "Retyped"] as const).map(
    (change) => `${count((column) => column.change === change)} ${change.toLowerCase()}`,
  );
  return `${drifted}; ${changes.join(", ")}`;
}

function counts(before: number, after: number, format: (value: number) => string): string {
  if (before === after) return format(before);
  const share = before > 0 ? ` (${after > before ? "+" : "−"}${formatShare(Math.abs(after - before) / before)})` : "";
  return `${format(before)} → ${format(after)}${share}`;
}

function row(column: ColumnComparison): Cell[] {
  const { name, change, withheld, before, after, drift, deltas } = column;
  const ink = drift ? verdictInk[drift.verdict] : undefined;
  const [left, right] = withheld ? ["values withheld", "values withheld"] : shapes(column);
  const nullsOf = (profile: typeof before) => (profile && profile.count > 0 ? profile.nulls / profile.count : 0);
  const moved = (change: number | undefined, value: number | undefined) =>
    change === undefined || value === undefined
      ? ""
      : `${formatNumber(value)}${change === 0 ? "" : ` (${formatChange(change)})`}`;
  return [
    { text: harmless(name) },
    change === "Kept" ? { text: drift?.verdict ?? "", ink } : { text: changeText(column), ink: "yellow" },
    { text: drift ? drift.psi.toFixed(3) : "", ink },
    { text: nulls(nullsOf(before), nullsOf(after), column) },
    { text: before && after ? moved(deltas.distinct, after.distinct) : "" },
    { text: moved(deltas.mean, after?.mean) },
    { text: moved(deltas.quantiles?.["0.5"], after?.quantiles?.["0.5"]) },
    { text: left ?? "", ink: "dim" },
    { text: right ?? "", ink: "cyan" },
  ];
}

function changeText({ change, before, after }: ColumnComparison): string {
  return change === "Retyped" ? `${before?.type} → ${after?.type}` : change.toLowerCase();
}

function nulls(before: number, after: number, { before: old, after: now }: ColumnComparison): string {
  if (!old || !now) return formatShare(old ? before : after);
  return formatPair(formatShare(before), formatShare(after));
}

/** Both over the same range, and as high as one another. */
function shapes({ before, after }: ColumnComparison): [string, string] {
  const few = [before, after].some((profile) => profile?.topValues && profile.topValues.length <= 8);
  const bins = few ? undefined : commonBins([before?.histogram, after?.histogram]);
  if (bins) {
    const [old = [], now = []] = bins.shares;
    const top = Math.max(...old, ...now);
    return [sparkline(old, top), sparkline(now, top)];
  }
  const values = commonValues([before, after], 3);
  const text = (side: number) =>
    values
      .filter(({ shares }) => shares[side])
      .map(({ value, shares }) => `${harmless(value)} ${formatShare(shares[side] ?? 0)}`)
      .join(" · ");
  return [text(0), text(1)];
}
