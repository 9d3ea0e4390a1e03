import type { Json, JsonObject } from "./arbitrary-schema.ts";

/** How a value is made to keep a CEL rule, and how to break it. */
export interface Rule {
  /** The nearest value that keeps the rule; the coin decides where there are two. */
  keep: (value: never, coin: boolean) => Json;
  /** Values that break this rule, and no rule of another field. */
  broken: (value: never) => Json[];
}

export const without = (value: JsonObject, ...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

export const same = (value: Json): Json => value;
