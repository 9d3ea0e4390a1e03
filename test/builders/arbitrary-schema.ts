/** What a kind's OpenAPI schema lets through, as fast-check arbitraries. */
import fc from "fast-check";
import { buildCrd } from "../../operator/api/crd.ts";
import { kinds } from "../../operator/api/v1alpha1/index.ts";
import { ruleOf } from "./arbitrary-rules.ts";
import { digestOf, fields, quantity, text } from "./arbitrary-text.ts";

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

export interface Schema {
  type?: "string" | "integer" | "number" | "boolean" | "array" | "object";
  enum?: string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  "x-kubernetes-validations"?: { rule: string; message: string }[];
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
}

/** The schema of `spec` in the kind's CustomResourceDefinition, and the same in zod. */
export function schemaOf(kind: string) {
  const definition = kinds.find((candidate) => candidate.kind === kind);
  if (!definition) throw new Error(`no kind ${kind}`);
  const crd = buildCrd(definition) as unknown as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
  };
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec as Schema;
  return { schema, zod: definition.spec };
}

/** Values that fit the schema's structure; its CEL rules are not looked at: see `tidy`. */
export function structural(schema: Schema, path: string): fc.Arbitrary<Json> {
  const named = fields.find(([pattern]) => pattern.test(path));
  if (named) return named[1];
  if (schema["x-kubernetes-int-or-string"]) return schema.pattern ? quantity : fc.oneof(fc.integer(), text(0, 32));
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 2 ** 31 - 1 });
    case "number":
      return fc.oneof(
        fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
        number,
      );
    case "array":
      return list(schema, path);
    case "object":
      return object(schema, path);
    default:
      return string(schema);
  }
}

const number = fc.double({ noNaN: true, noDefaultInfinity: true });

function string({ enum: values, pattern, minLength = 0, maxLength = 64 }: Schema): fc.Arbitrary<string> {
  if (values) return fc.constantFrom(...values);
  if (!pattern) return text(minLength, maxLength);
  const fits = (value: string) => value.length >= minLength && value.length <= maxLength;
  return fc.stringMatching(new RegExp(pattern)).filter(fits);
}

function list(schema: Schema, path: string): fc.Arbitrary<Json[]> {
  const { items = {}, minItems: minLength = 0, maxItems = 0 } = schema;
  const item = structural(items, `${path}[]`);
  const maxLength = Math.min(3, maxItems);
  const [key] = schema["x-kubernetes-list-map-keys"] ?? [];
  const few = key
    ? fc.uniqueArray(item, { minLength, maxLength, selector: (value) => (value as JsonObject)[key] })
    : fc.array(item, { minLength, maxLength });
  const full = item.map((one) => copies(schema, [one], maxItems));
  return fc.oneof({ weight: 30, arbitrary: few }, { weight: 1, arbitrary: full });
}

function object(schema: Schema, path: string): fc.Arbitrary<Json> {
  const { properties = {}, required = [], additionalProperties: values, maxProperties = 0 } = schema;
  if (values || schema["x-kubernetes-preserve-unknown-fields"]) {
    const key = fields.find(([pattern]) => pattern.test(`${path}{}`))?.[1] ?? text(0, 63);
    const value = values ? structural(values, `${path}.*`) : parameter;
    return fc.dictionary(key, value, { maxKeys: Math.min(3, maxProperties), noNullPrototype: true });
  }
  const members = Object.entries(properties).map(([name, member]) => {
    const present = structural(member, `${path}.${name}`);
    return [name, required.includes(name) ? present : fc.option(present, { freq: 2, nil: undefined })] as const;
  });
  return fc.record(Object.fromEntries(members), { noNullPrototype: true }) as fc.Arbitrary<Json>;
}

/** The docs promise strings, numbers and booleans; the API server takes anything. */
const parameter: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: text(0, 64) },
  { weight: 3, arbitrary: fc.oneof(number, fc.integer()) },
  { weight: 2, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json> },
);

/** The list made this long with copies of its first item, told apart by their key; as it is when they would be large. */
export function copies(schema: Schema, list: Json[], length: number): Json[] {
  const [first] = list;
  if (first === undefined || JSON.stringify(first).length * length > 100_000) return list;
  const [key] = schema["x-kubernetes-list-map-keys"] ?? [];
  const distinct = (index: number) => (key === "digest" ? digestOf(index) : `n${index}`);
  return Array.from({ length }, (_, index) => (key ? { ...(first as JsonObject), [key]: distinct(index) } : first));
}

/** The value, changed where it breaks a CEL rule or names an item of a list twice. */
export function tidy(schema: Schema, value: Json, coin: boolean): Json {
  const rules = schema["x-kubernetes-validations"] ?? [];
  return rules.reduce((kept, { message }) => ruleOf(message).keep(kept, coin), tidyWithin(schema, value, coin));
}

function tidyWithin(schema: Schema, value: Json, coin: boolean): Json {
  if (Array.isArray(value) && schema.items) {
    const { items, "x-kubernetes-list-map-keys": [key] = [] } = schema;
    const keys = key ? value.map((item) => (item as JsonObject)[key]) : [];
    return value.filter((_, index) => !key || keys.indexOf(keys[index]) === index).map((one) => tidy(items, one, coin));
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, member]) => {
    const inner = schema.properties?.[name] ?? schema.additionalProperties;
    return [name, inner ? tidy(inner, member, coin) : member] as const;
  });
  return Object.fromEntries(entries);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
