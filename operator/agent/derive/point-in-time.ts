import type { Column, ColumnType } from "../../store/api.ts";
import { permanent } from "../failure.ts";
import { identifier } from "../table/database.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { DeriveTask } from "../tasks.ts";
import type { Input } from "./inputs.ts";

/** What is known of a column's meaning. */
export type Named = Pick<Column, "name" | "role" | "sensitive">;

export interface Joined {
  /** A SELECT of the table `joined`, its rows in the order of `rows`. */
  sql: string;
  columns: Named[];
}

/**
 * The rows of one table, each with the columns that other tables knew at its time: those of the newest row with the same
 * keys that is not newer than it, and of several at one instant those of the last. Null where there is none, or where it is
 * older than `maxAge`.
 */
export function joinPointInTime(inputs: readonly Input[], join: NonNullable<DeriveTask["pointInTime"]>): Joined {
  const rows = find(inputs, join.rows);
  const features = join.features.map((name) => find(inputs, name));
  if (inputs.some(({ name }) => name === "joined")) {
    throw invalid("a name in from is joined, which is the name of what pointInTime makes: name it otherwise");
  }
  const time = timestampOf(rows);
  const keys = keysOf(rows);
  const taken = countNames([rows, ...features]);
  const select: string[] = rows.columns.map(({ name, cell }) => `r.${cell} AS ${identifier(name)}`);
  const columns: Named[] = rows.columns.map(named);
  const joins: string[] = [];
  for (const [index, feature] of features.entries()) {
    const own = keysOf(feature);
    const ownTime = timestampOf(feature);
    const alias = `f${index}`;
    const pairs = own.map((key) => ({ key, of: sameKey(key, { feature, rows, keys }) }));
    joins.push(
      `ASOF LEFT JOIN (${distinctInstants(feature, own, ownTime)}) AS ${alias} ON ${[
        ...pairs.map(({ key, of }) => `r.${of.cell} = ${alias}.${key.cell}`),
        `r.instant >= ${alias}.instant`,
      ].join(" AND ")}`,
    );
    const fresh =
      join.maxAge === undefined
        ? undefined
        : `epoch_us(r.instant)::HUGEINT - epoch_us(${alias}.instant) <= ${Math.round(join.maxAge * 1000)}`;
    for (const column of feature.columns) {
      if (own.includes(column)) continue;
      const repeated = column === ownTime || (taken.get(column.name.toLowerCase()) ?? 0) > 1;
      const name = repeated ? `${feature.name}_${column.name}` : column.name;
      const value = `${alias}.${column.cell}`;
      select.push(`${fresh ? `CASE WHEN ${fresh} THEN ${value} END` : value} AS ${identifier(name)}`);
      columns.push({ name, ...(column.sensitive ? { sensitive: true as const } : {}) });
    }
  }
  refuseTwins(columns);
  const source = `(SELECT *, rowid AS place, ${time.cell}::TIMESTAMP AS instant FROM ${rows.table}) AS r`;
  return { sql: `SELECT ${select.join(", ")} FROM ${source} ${joins.join(" ")} ORDER BY r.place`, columns };
}

/** SQL: the feature's rows, of those with the same keys and instant the last alone. */
function distinctInstants({ table }: Input, keys: readonly TypedColumn[], time: TypedColumn): string {
  const by = [...keys, time].map(({ cell }) => cell).join(", ");
  const last = `SELECT max(rowid) FROM ${table} WHERE ${time.cell} IS NOT NULL GROUP BY ${by}`;
  return `SELECT *, ${time.cell}::TIMESTAMP AS instant FROM ${table} WHERE rowid IN (${last})`;
}

function find(inputs: readonly Input[], name: string): Input {
  const input = inputs.find((candidate) => candidate.name === name);
  if (!input) throw invalid(`${name} is not in from`);
  return input;
}

function keysOf({ name, parent, columns }: Input): TypedColumn[] {
  const keys = withRole(columns, "Key");
  if (keys.length > 0) return keys;
  throw invalid(
    `${name}: Dataset ${parent.dataset} has no column with the role Key: give it one in its schema.columns`,
  );
}

function timestampOf({ name, parent, columns }: Input): TypedColumn {
  const [time] = withRole(columns, "Timestamp");
  const advice = `in the schema.columns of Dataset ${parent.dataset}`;
  if (!time) throw invalid(`${name}: no column has the role Timestamp: give it to one ${advice}`);
  if (time.type === "Date" || time.type === "Timestamp") return time;
  throw invalid(
    `${name}: the column ${time.name} has the role Timestamp and the type ${time.type}: make it Timestamp or Date ${advice}`,
  );
}

function withRole(columns: readonly TypedColumn[], role: Column["role"]): TypedColumn[] {
  return columns.filter((column) => column.role === role);
}

const numbers: readonly ColumnType[] = ["Int64", "Double"];

/** The key of `rows` that has the name of a feature's key. */
function sameKey(
  key: TypedColumn,
  { feature, rows, keys }: { feature: Input; rows: Input; keys: readonly TypedColumn[] },
): TypedColumn {
  const same = keys.find(({ name }) => name === key.name);
  if (!same) {
    const names = keys.map(({ name }) => name).join(", ");
    throw invalid(`${feature.name} has the key ${key.name}, which is none of ${rows.name}; its keys: ${names}`);
  }
  if (same.type === key.type || [same, key].every(({ type }) => numbers.includes(type))) return same;
  throw invalid(
    `the key ${key.name} is ${same.type} in ${rows.name}, but ${key.type} in ${feature.name}: give both one type`,
  );
}

/** In how many of the tables a name is. */
function countNames(tables: readonly Input[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { columns } of tables) {
    for (const { name } of columns) counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
  }
  return counts;
}

function refuseTwins(columns: readonly Named[]): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name.toLowerCase())) throw invalid(`two columns of joined would be named ${name}: rename one`);
    seen.add(name.toLowerCase());
  }
}

function named({ name, role, sensitive }: TypedColumn): Named {
  return { name, ...(role ? { role } : {}), ...(sensitive ? { sensitive } : {}) };
}

function invalid(message: string) {
  return permanent("TransformInvalid", `transform.pointInTime: ${message}`);
}
