import { clip } from "../failure.ts";

/** A value and where it stands: its file, and its row there, from 1 and without the header. */
export interface Example {
  path: string;
  row: number;
  value?: string | undefined;
}

/** No more than this many are shown, and none of the values when they are sensitive. */
export const exampleLimit = 3;

/** `"x" (a.csv, row 2), "y" (a.csv, row 5)`; without values `a.csv, row 2; a.csv, row 5`. */
export function showExamples(examples: readonly Example[], sensitive: boolean | undefined): string {
  const shown = examples.slice(0, exampleLimit).map(({ path, row, value }) => {
    const where = `${clip(path, 80)}, row ${row}`;
    return sensitive || value === undefined ? where : `${JSON.stringify(clip(value, 40))} (${where})`;
  });
  return shown.join(sensitive ? "; " : ", ");
}
