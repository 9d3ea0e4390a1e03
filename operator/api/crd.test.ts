import { describe, expect, test } from "vitest";
import { z } from "zod";
import { buildCrd } from "./crd.ts";
import { kinds } from "./v1alpha1/index.ts";

interface Node {
  description?: string;
  properties?: Record<string, Node>;
  items?: Node;
  additionalProperties?: Node;
  default?: unknown;
}

/** Paths of fields that `kubectl explain` would show without a word. */
function undocumented(node: Node, path: string): string[] {
  const named = Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    ...(child.description ? [] : [`${path}.${name}`]),
    ...undocumented(child, `${path}.${name}`),
  ]);
  const inner = [node.items, node.additionalProperties].filter((child) => child !== undefined);
  return [...named, ...inner.flatMap((child) => undocumented(child, path))];
}

/** Defaults within lists. */
function listDefaults(node: Node, path: string, inList = false): string[] {
  const children = [
    ...Object.entries(node.properties ?? {}).map(([name, child]) => ({ name: `.${name}`, child, within: inList })),
    ...(node.items ? [{ name: "[]", child: node.items, within: true }] : []),
    ...(node.additionalProperties ? [{ name: ".*", child: node.additionalProperties, within: inList }] : []),
  ];
  const own = inList && node.default !== undefined ? [path] : [];
  return [...own, ...children.flatMap(({ name, child, within }) => listDefaults(child, `${path}${name}`, within))];
}

function schemaOf(kind: (typeof kinds)[number]): Node {
  const crd = buildCrd(kind) as unknown as { spec: { versions: { schema: { openAPIV3Schema: Node } }[] } };
  return crd.spec.versions[0]?.schema.openAPIV3Schema as Node;
}

describe.each(kinds)("$kind", (kind) => {
  test("documents itself and every field", () => {
    const { spec, status } = schemaOf(kind).properties ?? {};
    expect(kind.description.length).toBeGreaterThan(20);
    expect(undocumented({ properties: { ...spec?.properties } }, "spec")).toEqual([]);
    expect(undocumented({ properties: { ...status?.properties } }, "status")).toEqual([]);
  });

  test("writes nothing into lists, which GitOps tools compare whole", () => {
    expect(listDefaults(schemaOf(kind).properties?.spec as Node, "spec")).toEqual([]);
  });
});

describe("what Kubernetes would refuse is refused here", () => {
  const [first] = kinds;
  const build = (spec: z.ZodType) => () => buildCrd({ ...(first as (typeof kinds)[number]), spec });

  test.each<[string, z.ZodType, RegExp]>([
    ["a text without a bound", z.strictObject({ text: z.string() }), /spec\.text: needs maxLength/],
    ["a list without a bound", z.strictObject({ list: z.array(z.boolean()) }), /spec\.list: needs maxLength, maxItems/],
    ["a union", z.strictObject({ either: z.union([z.boolean(), z.number()]) }), /spec\.either: "anyOf" is not allowed/],
    ["a fractional minimum", z.strictObject({ number: z.number().min(0.5) }), /spec\.number: .* fractional bound/],
    ["a field of any type", z.strictObject({ any: z.unknown() }), /spec\.any: has no type/],
  ])("%s", (_, spec, says) => {
    expect(build(spec)).toThrow(says);
  });
});
