import { html, Markup } from "./markup.ts";
import { style } from "./style.ts";

export interface Page {
  title: string;
  /** What stands under the title. */
  lead: Markup;
  body: readonly (Markup | undefined)[];
}

/** One document that needs nothing else: no script, and the policy in it lets a browser load nothing. */
export function renderPage({ title, lead, body }: Page): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${policy}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header><h1>${title}</h1>${lead}</header>
<main>
${body}
</main>
<footer>Made by Lemnis. This page is complete: it loads nothing and can be kept as a file.</footer>
</body>
</html>
`;
  return page.text;
}

/** A named number in a box; `note` stands beside it, smaller. */
export interface Tile {
  name: string;
  value: string;
  note?: string | undefined;
}

export function tiles(items: readonly Tile[]): Markup {
  const box = ({ name, value, note }: Tile) =>
    html`<div><dt>${name}</dt><dd class="number">${value}${note !== undefined && html` <small>${note}</small>`}</dd></div>`;
  return html`<dl class="tiles">${items.map(box)}</dl>`;
}

export function facts(rows: readonly (readonly [string, Markup | string])[]): Markup | undefined {
  if (rows.length === 0) return undefined;
  return html`<div class="panel"><dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></div>`;
}
