/** Every way in which one field of a valid spec can be made wrong. */
import { ruleOf } from "./arbitrary-rules.ts";
import { copies, isObject, type Json, type JsonObject, type Schema } from "./arbitrary-schema.ts";

export type Place = readonly (string | number)[];
export type Fault = "type" | "bound" | "text" | "size" | "entries" | "required" | "unknown" | "duplicate" | "rule";

export interface Violation {
  fault: Fault;
  /** What to change in the spec. */
  at: Place;
  /** Absent: the field is taken away. */
  value?: Json;
  /** The field that the refusal must name, where it is not the changed one. */
  named?: Place;
}

const wrongTypes: Record<NonNullable<Schema["type"]>, Json[]> = {
  string: [5, true, {}, ["x"]],
  integer: ["3", 1.5, true, {}],
  number: ["0.9", false, []],
  boolean: ["yes", "true", 1, {}],
  array: [{}, "x", 0],
  object: ["x", [], 5, false],
};
const misfits = ["", " ", "a b", "-a", "A", "a/b", "../x", "é", "a\n", "$(A)", "1", "http://"];

/** All that can be made wrong in this value, and below it. */
export function violations(schema: Schema, value: Json, at: Place = []): Violation[] {
  const rules = schema["x-kubernetes-validations"] ?? [];
  const wrong = (fault: Fault) => (one: Json) => ({ fault, at, value: one });
  return [
    ...rules.flatMap(({ message }) => ruleOf(message).broken(value)).map(wrong("rule")),
    ...ofType(schema).map(wrong("type")),
    ...(typeof value === "number" ? ofNumber(schema).map(wrong("bound")) : []),
    ...(typeof value === "string" ? ofText(schema, value).map(wrong("text")) : []),
    ...(Array.isArray(value) && schema.items ? ofList(schema, value, at) : []),
    ...(isObject(value) ? ofObject(schema, value, at) : []),
  ];
}

const wrongScalars: Json[] = [1.5, true, {}, []];
const wrongQuantities: Json[] = ["lots", "1 Gi", "-1", "1e3", "", ".5", "1gi", "1".repeat(33), ...wrongScalars];

function ofType({ type, pattern, "x-kubernetes-int-or-string": isScalar }: Schema): Json[] {
  if (isScalar) return pattern ? wrongQuantities : wrongScalars;
  return type ? wrongTypes[type] : [];
}

const ofNumber = ({ minimum, maximum }: Schema): number[] => [
  ...(minimum === undefined ? [] : [minimum - 1]),
  ...(maximum === undefined ? [] : [maximum + 1]),
];

function ofText({ enum: values, pattern, minLength = 0, maxLength }: Schema, value: string): string[] {
  if (values)
    return ["", "Nope", `${value} `, value.toUpperCase(), value.toLowerCase()].filter((one) => !values.includes(one));
  const long = maxLength === undefined ? [] : [1, 1000].map((more) => value.padEnd(maxLength + more, "a"));
  const short = minLength === 0 ? [] : ["", "x".repeat(minLength - 1)];
  const unmatched = pattern ? misfits.filter((one) => !new RegExp(pattern).test(one)) : [];
  return [...long, ...short, ...unmatched];
}

function ofList(schema: Schema, list: Json[], at: Place): Violation[] {
  const { items = {}, minItems = 0, maxItems = 0, "x-kubernetes-list-map-keys": keys } = schema;
  const [first] = list;
  const many = copies(schema, list, maxItems + 1);
  return [
    ...(minItems > 0 ? [{ fault: "size" as const, at, value: [] }] : []),
    ...(many.length > maxItems ? [{ fault: "size" as const, at, value: many }] : []),
    ...(keys && first !== undefined && list.length < maxItems
      ? [{ fault: "duplicate" as const, at, value: [...list, first], named: [...at, list.length] }]
      : []),
    ...list.flatMap((item, index) => violations(items, item, [...at, index])),
  ];
}

function ofObject(schema: Schema, value: JsonObject, at: Place): Violation[] {
  const { properties, required = [], additionalProperties, maxProperties } = schema;
  const entries = Object.entries(value);
  const [first] = entries;
  const many = () => Array.from({ length: (maxProperties ?? 0) + 1 }, (_, index) => [`k${index}`, first?.[1] ?? 1]);
  return [
    ...(maxProperties && first ? [{ fault: "entries" as const, at, value: Object.fromEntries(many()) }] : []),
    ...required.map((name) => ({ fault: "required" as const, at: [...at, name] })),
    ...(properties ? [{ fault: "unknown" as const, at: [...at, "sauce"], value: 1 }] : []),
    ...entries.flatMap(([name, member]) => {
      const inner = properties?.[name] ?? additionalProperties;
      return inner ? violations(inner, member, [...at, name]) : [];
    }),
  ];
}

/** The value with another at this place, or without it. `__proto__` is a name like any other. */
export function replaced(value: Json, [step, ...rest]: Place, next: Json | undefined): Json {
  if (step === undefined) return next ?? {};
  const inner = (old: Json | undefined) => (rest.length === 0 ? next : replaced(old ?? {}, rest, next));
  if (Array.isArray(value)) {
    return value.flatMap((old, index) => {
      const item = index === step ? inner(old) : old;
      return item === undefined ? [] : [item];
    });
  }
  const entries = Object.entries(value as JsonObject);
  const own = entries.find(([name]) => name === step);
  const changed = inner(own?.[1]);
  const others = entries.filter(([name]) => name !== step);
  return Object.fromEntries(changed === undefined ? others : [...others, [step, changed]]) as JsonObject;
}
