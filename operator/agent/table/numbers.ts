/** SQL over typed columns: their values as numbers. */
import type { TypedColumn } from "./typed.ts";

export function isNumeric({ type }: Pick<TypedColumn, "type">): boolean {
  return type === "Int64" || type === "Double";
}

/** Has a histogram: numbers, and dates as seconds since 1970. */
export function isOrdered(column: Pick<TypedColumn, "type">): boolean {
  return isNumeric(column) || column.type === "Date" || column.type === "Timestamp";
}

/** The value, null where it is NaN: NaN counts as null, as in pandas. */
export function valueSql({ cell, type }: TypedColumn): string {
  return type === "Double" ? `(CASE WHEN NOT isnan(${cell}) THEN ${cell} END)` : cell;
}

/** The value, null where it is no finite number. */
export function finiteSql({ cell, type }: TypedColumn): string {
  return type === "Double" ? `(CASE WHEN isfinite(${cell}) THEN ${cell} END)` : cell;
}

/** The value of an ordered column as a double, null where it is no finite number. */
export function numberSql(column: TypedColumn): string {
  return isNumeric(column) ? `(${finiteSql(column)})::DOUBLE` : `epoch(${column.cell})::DOUBLE`;
}

/** A number as SQL writes it, to the last bit. */
export function doubleSql(number: number): string {
  return `'${number}'::DOUBLE`;
}
