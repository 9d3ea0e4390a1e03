import { permanent } from "../failure.ts";
import { identifier, type Row } from "../table/database.ts";
import type { DeclaredColumn } from "../tasks.ts";
import type { Named } from "./point-in-time.ts";

/** A column of a relation as DESCRIBE tells it. */
interface Described {
  name: string;
  type: string;
}

export function readDescription(rows: readonly Row[]): Described[] {
  return rows.map(({ column_name, column_type }) => ({ name: String(column_name), type: String(column_type) }));
}

/** What a type of DuckDB is written as; undefined where a Dataset has no such column. */
function writtenType(type: string): string | undefined {
  if (/^(BOOLEAN|DATE)$/.test(type)) return type;
  // A sum of integers is a HUGEINT.
  if (/^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/.test(type)) return "BIGINT";
  if (/^(FLOAT$|DOUBLE$|DECIMAL\()/.test(type)) return "DOUBLE";
  if (/^TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?$/.test(type)) return "TIMESTAMP";
  if (/^(VARCHAR|JSON|UUID)$/.test(type) || /^ENUM\(.*\)$/.test(type)) return "VARCHAR";
  return undefined;
}

/** SQL: each column in one of the six types that Datasets have. */
export function castColumns(columns: readonly Described[]): string {
  const casts = columns.map(({ name, type }) => {
    const written = writtenType(type);
    if (written) return `${identifier(name)}::${written} AS ${identifier(name)}`;
    throw permanent(
      "TransformInvalid",
      `transform.sql: the column ${name} is ${type}, and a Dataset's columns are numbers, text, Booleans, dates and timestamps: cast it, as in ${name}::VARCHAR`,
    );
  });
  return casts.join(", ");
}

const single = ["Label", "Timestamp", "Weight"];

/**
 * The contract of the result: what schema.columns says, and what follows from the inputs' columns of the same names. A
 * column that is sensitive anywhere stays so. A role is kept unless schema.columns gives another; of the roles that only
 * one column can have, the first in `known` keeps it.
 */
export function inherit(
  columns: readonly Described[],
  known: readonly Named[],
  declared: readonly DeclaredColumn[],
): DeclaredColumn[] {
  const taken = new Set(declared.map(({ role }) => role));
  const roles = new Map(declared.map(({ name, role }) => [name, role]));
  for (const { name, role } of known) {
    if (!role || roles.get(name) || !columns.some((column) => column.name === name)) continue;
    if (single.includes(role) && taken.has(role)) continue;
    taken.add(role);
    roles.set(name, role);
  }
  const sensitive = new Set(known.filter(({ sensitive }) => sensitive).map(({ name }) => name.toLowerCase()));
  const names = new Set([...declared.map(({ name }) => name), ...columns.map(({ name }) => name)]);
  return [...names].flatMap((name) => {
    const given = declared.find((column) => column.name === name);
    const role = roles.get(name);
    const hidden = given?.sensitive || sensitive.has(name.toLowerCase());
    if (!given && !role && !hidden) return [];
    return [{ ...given, name, ...(role ? { role } : {}), ...(hidden ? { sensitive: true as const } : {}) }];
  });
}
