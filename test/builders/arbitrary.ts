/** Custom resources as anybody might write them: valid ones, wrong ones, edits of them, and whole stories. Plain data. */
import fc from "fast-check";
import type { z } from "zod";
import { isObject, type Json, type JsonObject, type Schema, schemaOf, structural, tidy } from "./arbitrary-schema.ts";
import { pool, text } from "./arbitrary-text.ts";
import { type Fault, type Place, replaced, type Violation, violations } from "./arbitrary-violations.ts";

const kindNames = ["Dataset", "TrainingJob", "Model", "InferenceService"] as const;
export type KindName = (typeof kindNames)[number];

export interface InvalidSpec {
  spec: JsonObject;
  /** The field that is wrong, as the API server names it: `spec.inputs[0].name`. */
  path: string;
  fault: Fault;
}

/** A position that the same seed draws again, whatever it is a position in. */
const pick = fc.noBias(fc.nat());
const at = <T>(list: readonly T[], position: number) => list[position % list.length] as T;

/** Specs that the API server takes, at most 300 kB of them: etcd has no room for every field at its longest. */
export function validSpec(kind: KindName): fc.Arbitrary<JsonObject> {
  const { schema, zod } = schemaOf(kind);
  return fc
    .tuple(structural(schema, "spec"), fc.boolean())
    .map(([raw, coin]) => tidy(schema, plain(raw), coin) as JsonObject)
    .filter((spec) => zod.safeParse(spec).success && JSON.stringify(spec).length < 300_000);
}

/** As it is on the wire: no members that are undefined, no -0. */
const plain = (value: Json): Json => JSON.parse(JSON.stringify(value));

/** A valid spec with one field made wrong. All ways to be wrong come alike, however many fields they are open to. */
export function invalidSpec(kind: KindName): fc.Arbitrary<InvalidSpec> {
  const { schema } = schemaOf(kind);
  return fc.tuple(validSpec(kind), pick, pick).map(([spec, fault, which]) => {
    const all = violations(schema, spec);
    const faults = [...new Set(all.map((violation) => violation.fault))];
    const chosen = at(
      all.filter((violation) => violation.fault === at(faults, fault)),
      which,
    );
    return { spec: replaced(spec, chosen.at, chosen.value) as JsonObject, path: pathOf(chosen), fault: chosen.fault };
  });
}

const pathOf = ({ at: place, named = place }: Violation): string =>
  named.reduce<string>((path, step) => path + (typeof step === "number" ? `[${step}]` : `.${step}`), "spec");

/** A valid spec that differs from this valid one in one or two fields, and in what must change with them. */
export function edit(kind: KindName, spec: JsonObject): fc.Arbitrary<JsonObject> {
  return change(kind)
    .map((changed) => changed(spec))
    .filter((edited) => JSON.stringify(edited) !== JSON.stringify(spec));
}

/** Edits of any spec; of none, a whole one. A spec that these edits leave as it is comes back. */
function change(kind: KindName): fc.Arbitrary<(spec: JsonObject | undefined) => JsonObject> {
  const { schema, zod } = schemaOf(kind);
  return fc
    .record({ other: validSpec(kind), first: pick, second: fc.option(pick), coin: fc.boolean() })
    .map((draft) => (spec) => (spec ? edited(spec, draft, { schema, zod }) : draft.other));
}

interface Draft {
  other: JsonObject;
  first: number;
  second: number | null;
  coin: boolean;
}

/** One or two of the fields in which the other spec differs, taken from there. */
function edited(spec: JsonObject, draft: Draft, { schema, zod }: { schema: Schema; zod: z.ZodType }): JsonObject {
  const { other, first, second, coin } = draft;
  const places = differences(schema, spec, other);
  for (let skip = 0; skip < places.length; skip++) {
    const chosen = [first, ...(second === null ? [] : [second])].map((position) => at(places, position + skip));
    const grafted = chosen.reduce<Json>((value, place) => replaced(value, place, valueAt(other, place)), spec);
    const candidate = tidy(schema, grafted, coin) as JsonObject;
    const changed = differing(spec, candidate).length;
    if (changed > 0 && changed <= 2 && zod.safeParse(candidate).success) return candidate;
  }
  return spec;
}

const differing = (one: JsonObject, other: JsonObject): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]),
  );

/** Where two specs differ, as deep as both have it: fields of objects, and items of lists of one length. */
function differences(schema: Schema, one: Json, other: Json, place: Place = []): Place[] {
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length) {
    return one.flatMap((item, index) => differences(schema.items ?? {}, item, other[index] as Json, [...place, index]));
  }
  if (!schema.properties || !isObject(one) || !isObject(other))
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [place];
  return differing(one, other).flatMap((name) => {
    const [ours, theirs] = [one[name], other[name]];
    const inner = [...place, name];
    if (ours === undefined || theirs === undefined) return [inner];
    return differences(schema.properties?.[name] ?? {}, ours, theirs, inner);
  });
}

const valueAt = (value: Json, place: Place): Json | undefined =>
  place.reduce<Json | undefined>((inner, step) => (inner as Record<string | number, Json> | undefined)?.[step], value);

/** One thing that happens in a namespace. */
export type Step =
  | { verb: "apply"; kind: KindName; name: string; spec: JsonObject }
  | ({ verb: "applyInvalid"; kind: KindName; name: string } & InvalidSpec)
  | { verb: "delete"; kind: KindName; name: string }
  | { verb: "annotate"; kind: KindName; name: string; annotations: Record<string, string> }
  | { verb: "newData"; data: string }
  | { verb: "restartOperator" };

/** An apply whose spec is an edit of what was applied last; what that is shows only in the whole story. */
type Drafted =
  | Step
  | { verb: "edit"; kind: KindName; name: string; changed: (spec: JsonObject | undefined) => JsonObject };

/**
 * Stories of up to this many steps, over the objects of `pool` in one namespace. A step may meet an object that is not
 * there. Shrunk, a story has fewer steps; its edits are made anew of what is still applied before them.
 */
export function sequence(length: number): fc.Arbitrary<Step[]> {
  const drafts = fc.array(fc.oneof(...kindNames.map(stepOf)), { minLength: 1, maxLength: length, size: "max" });
  return drafts.map(told);
}

function stepOf(kind: KindName): fc.Arbitrary<Drafted> {
  const to = <V extends string>(verb: V) => ({
    ...{ verb: fc.constant(verb), kind: fc.constant(kind), name: fc.constantFrom(...pool.objects) },
  });
  const refresh = text(1, 63).map((value) => ({ "lemnis.dev/refresh": value }));
  const restart: Step = { verb: "restartOperator" };
  return fc.oneof<fc.WeightedArbitrary<Drafted>[]>(
    { weight: 6, arbitrary: fc.record({ ...to("apply"), spec: validSpec(kind).map(calm) }) },
    { weight: 8, arbitrary: fc.record({ ...to("edit"), changed: change(kind) }) },
    { weight: 2, arbitrary: fc.record(to("delete")) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.record(to("applyInvalid")), invalidSpec(kind)).map(([a, b]) => ({ ...a, ...b })),
    },
    { weight: 1, arbitrary: fc.record({ ...to("annotate"), annotations: refresh }) },
    { weight: 1, arbitrary: fc.record({ verb: fc.constant("newData" as const), data: text(1, 63) }) },
    { weight: 1, arbitrary: fc.constant(restart) },
  );
}

/** A story is told on a real cluster, where a thousand replicas are a thousand pods. */
function calm(spec: JsonObject): JsonObject {
  const few = Object.entries(spec).map(([name, value]) => {
    if (name === "minReplicas") return [name, Math.min(value as number, 2)] as const;
    if (name === "online") return [name, { ...(value as JsonObject), replicas: 1 }] as const;
    return [name, name === "maxReplicas" ? Math.min(value as number, 3) : value] as const;
  });
  return Object.fromEntries(few);
}

function told(drafts: Drafted[]): Step[] {
  const applied = new Map<string, JsonObject>();
  return drafts.map((draft): Step => {
    if (!("name" in draft)) return draft;
    const { verb, kind, name } = draft;
    const key = `${kind} ${name}`;
    if (verb === "delete") applied.delete(key);
    if (verb === "apply") applied.set(key, draft.spec);
    if (verb !== "edit") return draft;
    const spec = calm(draft.changed(applied.get(key)));
    applied.set(key, spec);
    return { verb: "apply", kind, name, spec };
  });
}
