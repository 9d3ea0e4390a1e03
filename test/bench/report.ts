/** What a bench has measured, row by row. */
export interface Row {
  measure: string;
  result: string;
  /** Beside what it is to be compared with; empty when there is nothing. */
  ratio?: number;
  target?: string;
}

export class Report {
  readonly #rows: string[] = [];
  readonly #log: (message: string) => void;

  /** Each row is also logged as soon as it is known. */
  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  readonly note = (message: string): void => this.#log(message);

  add({ measure, result, ratio, target = "–" }: Row): void {
    const row = `| ${measure} | ${result} | ${ratio === undefined ? "–" : ratio.toFixed(2)} | ${target} |`;
    this.#rows.push(row);
    this.#log(row);
  }

  markdown(): string {
    return ["| measure | result | ratio | target |", "|---|---|---|---|", ...this.#rows].join("\n");
  }
}

/** Milliseconds, with a digit after the point when there are few of them. */
export const inMs = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
