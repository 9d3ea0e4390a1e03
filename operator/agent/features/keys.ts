import type { ColumnType } from "../../store/api.ts";

export type KeyType = Extract<ColumnType, "Int64" | "String" | "Boolean" | "Date">;
export interface KeyColumn {
  name: string;
  type: KeyType;
}

export const keyTypes: readonly ColumnType[] = ["Int64", "String", "Boolean", "Date"];

/** What is wrong with a request's key, for its sender. It never holds the value: that may be sensitive. */
export class KeyError extends Error {}

const allowed: Record<KeyType, string> = {
  Int64:
    "a whole number from -9223372036854775808 to 9223372036854775807; beyond 9007199254740991 as a string of its digits",
  String: "a string",
  Boolean: "true or false",
  Date: "a date as in 2026-01-31",
};

/**
 * A request's key as the index has it; `where` names it in errors. A query string has texts alone, so numbers and Booleans
 * may be given as texts everywhere.
 */
export function readKey(columns: readonly KeyColumn[], given: unknown, where: string): string {
  const names = columns.map(({ name }) => name);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new KeyError(`${where}: must be an object with ${names.join(", ")}`);
  }
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new KeyError(`${where}: ${unknown.slice(0, 64)} is no key of this Dataset; give ${names.join(", ")}`);
  }
  const texts = columns.map(({ name, type }) => {
    if (!Object.hasOwn(given, name)) throw new KeyError(`${where}: ${name} is missing; give ${names.join(", ")}`);
    const text = textOf((given as Record<string, unknown>)[name], type);
    if (text === undefined) throw new KeyError(`${where}.${name}: must be ${allowed[type]}`);
    return text;
  });
  return joinKey(texts);
}

/** Texts as one, from which each can be told. The SQL of `keySql` makes the same. */
function joinKey(texts: readonly string[]): string {
  return texts.map((text) => `${Buffer.byteLength(text)}:${text}`).join("");
}

/** SQL: a row's key, null where one of its columns is. */
export function keySql(cells: readonly string[]): string {
  return cells.map((cell) => `strlen(${cell}::VARCHAR) || ':' || ${cell}::VARCHAR`).join(" || ");
}

function textOf(value: unknown, type: KeyType): string | undefined {
  switch (type) {
    case "Int64":
      return integerText(value);
    case "String":
      return typeof value === "string" ? value : undefined;
    case "Boolean":
      return value === true || value === "true" ? "true" : value === false || value === "false" ? "false" : undefined;
    case "Date":
      return typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined;
  }
}

function integerText(value: unknown): string | undefined {
  // A larger number has lost digits on its way through JSON.
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value === 0 ? 0 : value) : undefined;
  if (typeof value !== "string" || !/^-?\d{1,19}$/.test(value)) return undefined;
  const integer = BigInt(value);
  return BigInt.asIntN(64, integer) === integer ? String(integer) : undefined;
}
