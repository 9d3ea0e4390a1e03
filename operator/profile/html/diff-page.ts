/** Two versions beside each other as one page; what has changed the most comes first. */
import type { ColumnProfile } from "../../store/api.ts";
import type { ColumnComparison, Comparison } from "../compare.ts";
import { formatBytes, formatChange, formatNumber, formatPair, formatShare, formatTime, plural } from "../format.ts";
import { formatValue } from "../shape.ts";
import type { Subject } from "../subject.ts";
import { picture } from "./charts.ts";
import { withheldNote } from "./column-card.ts";
import { html, type Markup } from "./markup.ts";
import { facts, renderPage, tiles } from "./page.ts";
import { mostCards } from "./profile-page.ts";

const tone = { little: "good", moderate: "warn", much: "bad" } as const;

export function diffPage({ dataset, namespace }: Subject, comparison: Comparison): string {
  const { before, after, columns } = comparison;
  const same = before.digest === after.digest;
  return renderPage({
    title: `${dataset}, version ${before.version} → ${after.version}`,
    lead: html`<p class="soft">Dataset ${dataset} in namespace ${namespace}</p>`,
    body: [
      overview(comparison),
      same ? html`<p>The same version: nothing has changed.</p>` : undefined,
      columns.length > 0 && !same ? summaryTable(columns) : undefined,
      columns.length > 0 && !same ? cards(comparison) : undefined,
    ],
  });
}

function overview({ before, after, columns }: Comparison): Markup {
  const count = (test: (column: ColumnComparison) => boolean) => columns.filter(test).length;
  const schema = (["Added", "Removed", "Retyped"] as const)
    .map((change) => `${count((column) => column.change === change)} ${change.toLowerCase()}`)
    .join(", ");
  const change = (from: number, to: number) =>
    from > 0 && from !== to ? `${to > from ? "+" : "−"}${formatShare(Math.abs(to - from) / from)}` : undefined;
  return html`${tiles([
    { name: "Rows", value: formatNumber(after.rows), note: change(before.rows, after.rows) },
    { name: "Size", value: formatBytes(after.bytes), note: change(before.bytes, after.bytes) },
    { name: "Drifted much", value: String(count(({ drift }) => drift?.verdict === "much")) },
    { name: "Moderately", value: String(count(({ drift }) => drift?.verdict === "moderate")) },
  ])}${facts([
    [
      "Before",
      html`version ${before.version}, ${plural(before.rows, "row")}, ${formatTime(before.createdAt)}, <code>${before.digest}</code>`,
    ],
    [
      "After",
      html`version ${after.version}, ${plural(after.rows, "row")}, ${formatTime(after.createdAt)}, <code>${after.digest}</code>`,
    ],
    ["Columns", schema],
  ])}`;
}

function badge({ change, drift, before, after }: ColumnComparison): Markup {
  if (change === "Retyped") return html`<span class="badge warn">${before?.type} → ${after?.type}</span>`;
  if (change !== "Kept") return html`<span class="badge warn">${change.toLowerCase()}</span>`;
  if (!drift) return html`<span class="badge">not compared</span>`;
  return html`<span class="badge ${tone[drift.verdict]}">${drift.verdict} drift</span>`;
}

const nullShare = (profile: ColumnProfile | undefined) =>
  profile === undefined ? undefined : profile.count > 0 ? profile.nulls / profile.count : 0;

function numbers(before: number | undefined, after: number | undefined, format = formatNumber): string {
  return formatPair(before === undefined ? undefined : format(before), after === undefined ? undefined : format(after));
}

function summaryTable(columns: readonly ColumnComparison[]): Markup {
  const rows = columns.map((column, index) => {
    const { name, before, after, drift, withheld } = column;
    const label = index < mostCards ? html`<a href="#c${index}">${name}</a>` : name;
    const mean = withheld ? "withheld" : numbers(before?.mean, after?.mean);
    return html`<tr><th scope="row">${label}</th><td>${badge(column)}</td><td class="n">${drift?.psi.toFixed(3)}</td><td class="n">${numbers(nullShare(before), nullShare(after), formatShare)}</td><td class="n">${numbers(before?.distinct, after?.distinct)}</td><td class="n">${mean}</td></tr>
`;
  });
  return html`<section><h2>Changes</h2><div class="panel"><table><caption>The population stability index (PSI) over the earlier version's bins: little below 0.1 or no more than chance, moderate below 0.25, much from there on.</caption><thead><tr><th scope="col">Column</th><th scope="col">Change</th><th scope="col" class="n">PSI</th><th scope="col" class="n">Nulls</th><th scope="col" class="n">Distinct</th><th scope="col" class="n">Mean</th></tr></thead><tbody>
${rows}</tbody></table></div></section>
`;
}

function cards({ before, after, columns }: Comparison): Markup {
  const shown = columns.slice(0, mostCards);
  const rest = columns.length - shown.length;
  const legend = html`<p class="legend"><span><svg viewBox="0 0 26 12" aria-hidden="true"><path class="past" d="M1 11V3H25V11"/></svg>version ${before.version}</span><span class="pair"><svg viewBox="0 0 26 12" aria-hidden="true"><rect class="bar" x="1" y="2" width="24" height="10"/></svg>version ${after.version}</span></p>`;
  return html`<section><h2>Column by column</h2>${legend}<div class="cards">
${shown.map((column, index) => card(column, `c${index}`))}</div>${rest > 0 && html`<p class="soft">The other ${formatNumber(rest)} columns are in the table above.</p>`}</section>
`;
}

function card(column: ColumnComparison, id: string): Markup {
  const { name, before, after, withheld, drift } = column;
  const image = withheld ? withheldNote : picture({ profiles: [before, after], id });
  const psi =
    drift &&
    html`<p class="small soft">PSI ${drift.psi.toFixed(3)}; chance alone gives up to ${drift.chance.toFixed(3)}</p>`;
  return html`<article class="card" id="${id}"><header><h3>${name}</h3><div class="badges">${badge(column)}</div></header>
${psi}${image}${statistics(column)}</article>
`;
}

function statistics({ name, before, after, withheld, deltas }: ColumnComparison): Markup {
  const quantile = (p: string) => [before?.quantiles?.[p], after?.quantiles?.[p], deltas.quantiles?.[p]] as const;
  const counted = [
    ["nulls", nullShare(before), nullShare(after), undefined, formatShare] as const,
    ["distinct", before?.distinct, after?.distinct, deltas.distinct] as const,
  ];
  const valued = [
    ["mean", before?.mean, after?.mean, deltas.mean] as const,
    ["std. dev.", before?.stddev, after?.stddev, deltas.stddev] as const,
    ["5 %", ...quantile("0.05")] as const,
    ["median", ...quantile("0.5")] as const,
    ["95 %", ...quantile("0.95")] as const,
  ];
  const lines = [...counted, ...(withheld ? [] : valued)].filter(
    ([, from, to]) => from !== undefined || to !== undefined,
  );
  const rows = lines.map(
    ([label, from, to, change, format = formatNumber]) =>
      html`<tr><th scope="row">${label}</th><td class="n">${from !== undefined && format(from)}</td><td class="n">${to !== undefined && format(to)}</td><td class="n">${change ? formatChange(change) : ""}</td></tr>`,
  );
  const ranges = (
    [
      ["minimum", before?.min, after?.min],
      ["maximum", before?.max, after?.max],
    ] as const
  )
    .filter(([, from, to]) => !withheld && (from !== undefined || to !== undefined))
    .map(
      ([label, from, to]) =>
        html`<tr><th scope="row">${label}</th><td class="n">${formatValue(from)}</td><td class="n">${formatValue(to)}</td><td></td></tr>`,
    );
  return html`<table class="fixed" aria-label="Statistics of ${name}"><thead><tr><th></th><th scope="col" class="n">before</th><th scope="col" class="n">after</th><th scope="col" class="n">change</th></tr></thead><tbody>${rows}${ranges}</tbody></table>`;
}
