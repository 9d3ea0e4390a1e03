import { clip, type Ink, painter, type Screen, widthOf } from "./text.ts";

export interface Cell {
  text: string;
  ink?: Ink | undefined;
}

export interface TableColumn {
  title: string;
  /** Numbers stand on the right. Default: left. */
  right?: boolean;
  /** Its widest cell's width at most. Default: as wide as it needs. */
  most?: number;
  /** Left out first, the highest first, where the screen is too narrow. Default: it stays. */
  spare?: number;
}

const gap = 2;

/** Lines of a table in columns as wide as they need. Columns that have no text in any row are left out. */
export function tableLines(columns: readonly TableColumn[], rows: readonly Cell[][], screen: Screen): string[] {
  const paint = painter(screen);
  const widths = columns.map(({ title, most = Number.POSITIVE_INFINITY }, index) => {
    const widest = Math.max(0, ...rows.map((row) => widthOf(row[index]?.text ?? "")));
    return widest === 0 ? 0 : Math.max(widthOf(title), Math.min(widest, most));
  });
  const shown = fitting(columns, widths, screen.width);
  const line = (cells: readonly Cell[]) =>
    shown
      .map((index, place) => {
        const width = widths[index] ?? 0;
        const { text, ink } = cells[index] ?? { text: "" };
        const clipped = clip(text, width);
        const space = " ".repeat(Math.max(0, width - widthOf(clipped)));
        const inked = paint(clipped, ink);
        if (columns[index]?.right) return space + inked;
        return place === shown.length - 1 ? inked : inked + space;
      })
      .join(" ".repeat(gap))
      .trimEnd();
  return [line(columns.map(({ title }) => ({ text: title, ink: "dim" as const }))), ...rows.map(line)];
}

function fitting(columns: readonly TableColumn[], widths: readonly number[], width: number): number[] {
  let shown = columns.map((_, index) => index).filter((index) => (widths[index] ?? 0) > 0);
  const needed = () => shown.reduce((sum, index) => sum + (widths[index] ?? 0) + gap, -gap);
  while (needed() > width) {
    const spare = shown.filter((index) => columns[index]?.spare !== undefined);
    if (spare.length === 0) break;
    const out = spare.reduce((a, b) => ((columns[b]?.spare ?? 0) > (columns[a]?.spare ?? 0) ? b : a));
    shown = shown.filter((index) => index !== out);
  }
  return shown;
}
