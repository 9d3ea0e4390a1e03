/** A version's profile in a terminal. */
import type { ColumnProfile, DatasetVersionDetail } from "../../store/api.ts";
import { formatBytes, formatNumber, formatShare, formatTime, plural } from "../format.ts";
import { commonBins, commonValues, formatValue } from "../shape.ts";
import type { Subject } from "../subject.ts";
import { sensitiveNames, withholdSensitive } from "../withheld.ts";
import { type Cell, type TableColumn, tableLines } from "./table.ts";
import { harmless, painter, type Screen } from "./text.ts";

const blocks = "▁▂▃▄▅▆▇█";
const strongest = 10;

/** One character a bin, as high as its share beside the largest one; an empty bin is a space. */
export function sparkline(shares: readonly number[], top = Math.max(...shares)): string {
  return shares
    .map((share) => (share > 0 ? (blocks[Math.min(7, Math.floor((share / top) * 8))] ?? "█") : " "))
    .join("");
}

export function renderProfile(subject: Subject, found: DatasetVersionDetail, screen: Screen): string {
  const version = withholdSensitive(found);
  const sections = [
    heading(subject, version, screen),
    columnTable(version, screen),
    correlations(version, screen),
    missing(version, screen),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function heading({ dataset, namespace, current }: Subject, version: DatasetVersionDetail, screen: Screen): string[] {
  const paint = painter(screen);
  const mark = version.version === current ? " (current)" : "";
  const facts = [
    plural(version.rows, "row"),
    plural(version.columns.length, "column"),
    formatBytes(version.bytes),
    version.format,
    formatTime(version.createdAt),
  ];
  const lines = [
    `${paint(`${namespace}/${dataset} version ${version.version}`, "bold")}${mark}  ${paint(version.digest.slice(0, 19), "dim")}`,
    facts.join(" · "),
  ];
  if (version.source) lines.push(`source   ${harmless(version.source.uri)}`);
  for (const parent of version.parents ?? []) {
    lines.push(
      `from     ${parent.dataset} version ${parent.version}${parent.split ? `, split ${harmless(parent.split)}` : ""}`,
    );
  }
  const splits = Object.entries(version.splits).map(([name, rows]) => `${harmless(name)} ${formatNumber(rows)}`);
  if (splits.length > 1) lines.push(`splits   ${splits.join(" · ")}`);
  for (const { name, passed, message } of version.expectations ?? []) {
    const mark = passed ? paint("✓", "green") : paint("✗", "red");
    lines.push(`${mark} ${harmless(name)}: ${harmless(message)}`);
  }
  return lines;
}

const columns: TableColumn[] = [
  { title: "COLUMN", most: 28 },
  { title: "TYPE" },
  { title: "ROLE", spare: 4 },
  { title: "NULLS", right: true },
  { title: "DISTINCT", right: true, spare: 2 },
  { title: "MIN", right: true, most: 12, spare: 3 },
  { title: "MEDIAN", right: true, most: 12, spare: 5 },
  { title: "MEAN", right: true, most: 12, spare: 1 },
  { title: "MAX", right: true, most: 12, spare: 3 },
  { title: "DISTRIBUTION", most: 44 },
];

function columnTable(version: DatasetVersionDetail, screen: Screen): string[] {
  if (version.profile.length === 0) return [];
  const roles = new Map(version.columns.map(({ name, role }) => [name, role]));
  const sensitive = sensitiveNames(version);
  const rows = version.profile.map((profile): Cell[] => {
    const { name, type, nulls, count, distinct, min, max, mean, quantiles } = profile;
    const share = count > 0 ? nulls / count : 0;
    const number = (value: number | undefined) => ({ text: value === undefined ? "" : formatNumber(value) });
    return [
      { text: harmless(name) },
      { text: type, ink: "dim" },
      { text: roles.get(name) ?? "", ink: "cyan" },
      { text: formatShare(share), ink: share >= 0.5 ? "red" : share > 0 ? "yellow" : undefined },
      { text: formatNumber(distinct) },
      { text: harmless(formatValue(min)) },
      number(quantiles?.["0.5"]),
      number(mean),
      { text: harmless(formatValue(max)) },
      sensitive.has(name) ? { text: "values withheld", ink: "dim" } : { text: distribution(profile), ink: "cyan" },
    ];
  });
  return tableLines(columns, rows, screen);
}

function distribution(profile: ColumnProfile): string {
  const bins = profile.topValues && profile.topValues.length <= 8 ? undefined : commonBins([profile.histogram]);
  if (bins) return sparkline(bins.shares[0] ?? []);
  return commonValues([profile], 4)
    .map(({ value, shares: [share] }) =>
      `${harmless(value)} ${share === undefined ? "" : formatShare(share)}`.trimEnd(),
    )
    .join(" · ");
}

function correlations(version: DatasetVersionDetail, screen: Screen): string[] {
  const label = version.columns.find(({ role }) => role === "Label")?.name;
  const ranked = version.profile
    .flatMap(({ name, correlation }) => (correlation === undefined || name === label ? [] : [{ name, correlation }]))
    .sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation))
    .slice(0, strongest);
  if (!label || ranked.length === 0) return [];
  const rows = ranked.map(({ name, correlation }) => [
    { text: harmless(name) },
    { text: correlation.toFixed(2) },
    {
      text: "█".repeat(Math.round(Math.abs(correlation) * 20)),
      ink: correlation < 0 ? ("red" as const) : ("cyan" as const),
    },
  ]);
  const titles = [
    { title: `CORRELATION WITH ${harmless(label)}`, most: 40 },
    { title: "r", right: true },
    { title: "" },
  ];
  return tableLines(titles, rows, screen);
}

function missing({ missing = [], rows }: DatasetVersionDetail, screen: Screen): string[] {
  const patterns = missing.filter(({ columns }) => columns.length > 0);
  if (patterns.length === 0) return [];
  const table = patterns.map((pattern) => [
    { text: pattern.columns.map(harmless).join(", ") },
    { text: formatNumber(pattern.rows) },
    { text: rows > 0 ? formatShare(pattern.rows / rows) : "" },
  ]);
  const most = Math.max(20, screen.width - 24);
  return tableLines(
    [
      { title: "NULL TOGETHER", most },
      { title: "ROWS", right: true },
      { title: "SHARE", right: true },
    ],
    table,
    screen,
  );
}
