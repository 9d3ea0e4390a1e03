import { columnDrift } from "../../profile/psi.ts";
import type { ColumnProfile, DatasetVersionDetail } from "../../store/api.ts";
import { isNumeric } from "../table/numbers.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { CheckedTable } from "./table.ts";

/** How a column has drifted too far from the current version, or why nobody can tell; undefined when it is as it was, or new. */
export function judgeDrift(
  maxPsi: number,
  { name }: TypedColumn,
  { profiled, current }: CheckedTable,
): string | undefined {
  const before = current?.profile.find((candidate) => candidate.name === name);
  const now = profiled.profile.find((candidate) => candidate.name === name);
  if (!current || !before || !now) return undefined;
  const drift = columnDrift(before, now);
  const against = `PSI against version ${current.version}`;
  if (!drift) return `column ${name}: there is no ${against}: ${whyNone(before, now, current)}`;
  return drift.psi > maxPsi
    ? `column ${name}: the ${against} is ${drift.psi.toFixed(3)}, more than ${maxPsi}`
    : undefined;
}

function whyNone(before: ColumnProfile, now: ColumnProfile, { columns }: DatasetVersionDetail): string {
  if (columns.some(({ name, sensitive }) => name === now.name && sensitive)) return "its values are withheld there";
  return before.type === now.type || (isNumeric(before) && isNumeric(now))
    ? "its values have no histogram: they are infinite, or too far apart"
    : `its type was ${before.type} and is ${now.type}`;
}
