/** zod schema → structural CustomResourceDefinition. Throws on what Kubernetes would refuse. */
import { z } from "zod";
import { group, version } from "./v1alpha1/common.ts";
import type { KindDefinition } from "./v1alpha1/kind.ts";

/** Children append to the name, and a Service's name begins with a letter; 63 is the limit of a label's value. */
const nameRule = {
  rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 40",
  message:
    "metadata.name must be at most 40 lower-case letters, digits or -, begin with a letter and end with a letter or digit",
};

type Schema = Record<string, unknown>;

/** The CustomResourceDefinition of one kind, as a JSON object. */
export function buildCrd(definition: KindDefinition): Schema {
  const { kind, plural, singular, shortNames, scope, description, spec, status, columns } = definition;
  const properties: Record<string, Schema> = {
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: { type: "object" },
    spec: structural(spec, `${kind}.spec`),
  };
  if (status) properties.status = structural(status, `${kind}.status`);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ["ml"] },
      scope,
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              description,
              type: "object",
              required: ["spec"],
              properties,
              "x-kubernetes-validations": [nameRule],
            },
          },
          ...(status ? { subresources: { status: {} } } : {}),
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}

function structural(schema: z.ZodType, path: string): Schema {
  return convert(z.toJSONSchema(schema, { target: "openapi-3.0", io: "input" }) as Schema, path);
}

const copied = [
  "type",
  "description",
  "default",
  "enum",
  "pattern",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "required",
] as const;
/** Read on their own below, or of no use to Kubernetes. */
const known = new Set<string>([
  ...copied,
  "properties",
  "items",
  "additionalProperties",
  "propertyNames",
  "format",
  "$schema",
]);

/** Walks one schema node: keeps what is structural, throws on what is not. */
function convert(node: Schema, path: string): Schema {
  const extensions = Object.entries(node).filter(([key]) => key.startsWith("x-kubernetes-"));
  if (node["x-kubernetes-int-or-string"]) return intOrString(node, extensions);
  const unknown = Object.keys(node).find((key) => !known.has(key) && !key.startsWith("x-kubernetes-"));
  if (unknown) throw new Error(`${path}: "${unknown}" is not allowed in a structural schema`);
  const result: Schema = {};
  for (const key of copied) if (node[key] !== undefined) result[key] = node[key];
  if (!result.type) throw new Error(`${path}: has no type`);
  if (result.type === "integer") boundInteger(result);
  if (node.properties) {
    result.properties = Object.fromEntries(
      Object.entries(node.properties as Record<string, Schema>).map(([name, child]) => [
        name,
        convert(child, `${path}.${name}`),
      ]),
    );
  }
  if (node.items) result.items = convert(node.items as Schema, `${path}[]`);
  const values = node.additionalProperties;
  // `false` is what zod's strict objects say; Kubernetes prunes or refuses unknown fields by itself.
  if (values && typeof values === "object" && !node["x-kubernetes-preserve-unknown-fields"]) {
    result.additionalProperties = convert(values as Schema, `${path}{}`);
  }
  for (const [key, value] of extensions) result[key] = value;
  checkBounds(result, path);
  return result;
}

function intOrString(node: Schema, extensions: [string, unknown][]): Schema {
  const result: Schema = { anyOf: [{ type: "integer" }, { type: "string" }] };
  for (const key of ["description", "pattern", "maxLength"]) if (node[key] !== undefined) result[key] = node[key];
  for (const [key, value] of extensions) result[key] = value;
  return result;
}

/** zod writes JavaScript's safe range where no bound was given; int64 says the same to Kubernetes. */
function boundInteger(result: Schema): void {
  if (result.minimum === Number.MIN_SAFE_INTEGER) delete result.minimum;
  if (result.maximum === Number.MAX_SAFE_INTEGER) delete result.maximum;
  result.format = "int64";
}

/** CEL's cost is estimated from bounds, and nothing that a user writes may be endless. */
function checkBounds(result: Schema, path: string): void {
  if (!path.includes(".spec")) return;
  const bounded =
    (result.type !== "string" ||
      result.maxLength !== undefined ||
      result.enum !== undefined ||
      result.pattern !== undefined) &&
    (result.type !== "array" || result.maxItems !== undefined) &&
    (result.additionalProperties === undefined || result.maxProperties !== undefined);
  if (!bounded) throw new Error(`${path}: needs maxLength, maxItems or maxProperties`);
  const [minimum, maximum] = [Number(result.minimum ?? 0), Number(result.maximum ?? 0)];
  if (Math.trunc(minimum) < minimum || Math.trunc(maximum) > maximum) {
    // It cuts the bound's fraction off when the value is a whole number: 0 would pass a minimum of 0.5.
    throw new Error(`${path}: the API server does not keep a fractional bound: state it with cel()`);
  }
}
