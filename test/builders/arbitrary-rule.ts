/** How a spec is made to keep a CEL rule, and how to break it. */
import type { Json, JsonObject } from "./arbitrary-schema.ts";

export interface Rule {
  /** The nearest value that keeps the rule; the coin decides where there are two. */
  keep: (value: never, coin: boolean) => Json;
  /** Values that break this rule, and no rule of another field. */
  broken: (value: never) => Json[];
}
/** By the beginning of the rule's message. */
export type Rules = [RegExp, Rule][];

export const without = (value: JsonObject, ...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

/** Of two fields one must go. */
export function either(one: string, other: string, both: JsonObject): Rule {
  return {
    keep: (value: JsonObject, coin) => (one in value && other in value ? without(value, coin ? one : other) : value),
    broken: (value: JsonObject) => [{ ...value, ...both }],
  };
}

export const same = (value: Json): Json => value;
