/** SQL over cells: which of Lemnis's six column types a text has, and its value. */
import type { ColumnType } from "../../store/api.ts";
import type { RawColumn } from "./raw.ts";

/** In the order of preference: the first that all values have is the column's. */
export const inferable: readonly ColumnType[] = ["Boolean", "Int64", "Double", "Date", "Timestamp"];

const isoTimestamp = "\\d{4}-\\d{2}-\\d{2}([T ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?\\s?(Z|[+-]\\d{2}(:?\\d{2})?)?)?";
/** Reads as a number, but a code more likely: leading zeros, more digits than an Int64 has, hex, digit separators. */
const codeLike = "^\\s*[+-]?0[0-9]|^\\s*[+-]?[0-9]{19,}\\s*$|[_xX]";

/** True where an undeclared column's cell, which is not null, looks like the type. */
export function looksLike({ text, written }: Pick<RawColumn, "text" | "written">, type: ColumnType): string {
  switch (type) {
    case "Boolean":
      return `lower(${written}) IN ('true', 'false')`;
    case "Int64":
      return `coalesce(TRY_CAST(${written} AS BIGINT)::VARCHAR = trim(${written}), false)`;
    case "Double":
      return `(TRY_CAST(${written} AS DOUBLE) IS NOT NULL AND NOT regexp_matches(${written}, '${codeLike}'))`;
    case "Date":
      return `(regexp_full_match(${text}, '\\d{4}-\\d{2}-\\d{2}') AND TRY_CAST(${text} AS DATE) IS NOT NULL)`;
    case "Timestamp":
      return `(regexp_full_match(${text}, '${isoTimestamp}') AND TRY_CAST(${text} AS TIMESTAMPTZ) IS NOT NULL)`;
    case "String":
      return "true";
  }
}

/** The cell's text, null where there is no value: an empty text is one for strings only. */
export function present({ text }: RawColumn, type: ColumnType): string {
  return type === "String" ? text : `nullif(trim(${text}), '')`;
}

/** True where a declared column's cell, which is present, can be read as the type. */
export function readsAs(column: RawColumn, type: ColumnType): string {
  const text = present(column, type);
  switch (type) {
    case "Boolean":
      return `lower(${text}) IN ('true', 'false', 't', 'f', '1', '0')`;
    case "Int64":
      return `(regexp_full_match(${text}, '[+-]?[0-9]+(\\.0*)?') AND ${cast(column, type)} IS NOT NULL)`;
    case "Double":
      return `(${cast(column, type)} IS NOT NULL AND NOT regexp_matches(${text}, '[_xX]'))`;
    case "Date":
      return `(regexp_full_match(${text}, '\\d{4}-\\d{2}-\\d{2}( 00:00:00)?') AND ${cast(column, type)} IS NOT NULL)`;
    case "Timestamp":
      return `(regexp_full_match(${text}, '${isoTimestamp}') AND ${cast(column, type)} IS NOT NULL)`;
    case "String":
      return "true";
  }
}

const sqlTypes = { Boolean: "BOOLEAN", Int64: "BIGINT", Double: "DOUBLE", String: "VARCHAR", Date: "DATE" } as const;

/** The cell as a value of the type, null where it is none. Timestamps with an offset become UTC. */
export function cast(column: RawColumn, type: ColumnType): string {
  if (type !== "String" && isNative(column, type)) {
    return type === "Timestamp"
      ? `TRY_CAST(${column.cell} AS TIMESTAMP)`
      : `TRY_CAST(${column.cell} AS ${sqlTypes[type]})`;
  }
  const text = present(column, type);
  if (type === "Timestamp") return `TRY_CAST(TRY_CAST(${text} AS TIMESTAMPTZ) AS TIMESTAMP)`;
  return type === "String" ? text : `TRY_CAST(${text} AS ${sqlTypes[type]})`;
}

/** True when the files hold the column's values in the type: they need no detour over text, and no rule for it. */
export function isNative({ native }: RawColumn, type: ColumnType): boolean {
  return native !== undefined && nativeType(native) === type;
}

/** What a Parquet column is to Lemnis; what has no type here is text. */
export function nativeType(native: string): ColumnType {
  if (native === "BOOLEAN") return "Boolean";
  if (/^U?(TINY|SMALL)INT$|^U?INTEGER$|^BIGINT$/.test(native)) return "Int64";
  if (/^(FLOAT|DOUBLE|UBIGINT|U?HUGEINT|DECIMAL\(.*)$/.test(native)) return "Double";
  if (native === "DATE") return "Date";
  if (native.startsWith("TIMESTAMP")) return "Timestamp";
  return "String";
}

/**
 * SQL: the cell as a value of the type; a cell that is none ends the query with the error `misfit N`, N the column's number.
 * Most cells are written as their type is, which is quick to see; only the others meet the exact rule. `probe` is the cell
 * as TRY_CAST reads it.
 */
export function strict(
  column: RawColumn & { probe: string },
  type: ColumnType,
  { declared, number }: { declared: boolean; number: number },
): string {
  const { text, probe } = column;
  const seen = declared ? text : column.written;
  const misfit = `error('misfit ${number}')`;
  if (type === "String") return `CASE WHEN contains(${text}, chr(0)) THEN error('nul ${number}') ELSE ${text} END`;
  if (isNative(column, type)) return cast(column, type);
  const rule = declared ? readsAs(column, type) : looksLike(column, type);
  const exact = `WHEN ${present(column, type)} IS NULL THEN NULL WHEN ${rule} THEN ${cast(column, type)} ELSE ${misfit}`;
  return `CASE WHEN ${plainly(type, seen, probe)} THEN ${probe} ${exact} END`;
}

const probes = { ...sqlTypes, Timestamp: "TIMESTAMP" } as const;

export function probeSql({ text, written }: RawColumn, type: ColumnType, declared: boolean): string {
  const seen = declared || type === "Date" || type === "Timestamp" ? text : written;
  return type === "String" ? "NULL" : `TRY_CAST(${seen} AS ${probes[type]})`;
}

/** True where the text is the usual way to write the value that `probe` read from it. */
function plainly(type: Exclude<ColumnType, "String">, text: string, probe: string): string {
  switch (type) {
    case "Boolean":
      return `${text} IN ('true', 'false')`;
    case "Int64":
      return `${probe}::VARCHAR = ${text}`;
    case "Double": {
      const begins = ["1", "-1", "0.", "-0."].map((from) => {
        const to = from.endsWith(".") ? `${from.slice(0, -1)}/` : `${from.slice(0, -1)}:`;
        return `(${text} >= '${from}' AND ${text} < '${to}')`;
      });
      return `(${probe} IS NOT NULL AND strlen(${text}) < 19 AND (${begins.join(" OR ")}) AND NOT contains(${text}, '_'))`;
    }
    case "Date":
      return `(${fourDigits(probe)} AND ${probe}::VARCHAR = ${text})`;
    case "Timestamp":
      return `(${fourDigits(probe)} AND ${probe}::VARCHAR = replace(${text}, 'T', ' '))`;
  }
}

/** True of the years 1 to 9999: DuckDB also reads later ones, those before Christ, and infinity. */
function fourDigits(probe: string): string {
  return `${probe} >= '0001-01-01' AND ${probe} < '10000-01-01'`;
}
