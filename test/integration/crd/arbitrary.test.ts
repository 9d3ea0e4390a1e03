/** Specs drawn from the schemas, against zod and a real API server: all three say the same. LEMNIS_SEED draws others. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { buildCrd } from "../../../operator/api/crd.ts";
import { apiVersion } from "../../../operator/api/v1alpha1/common.ts";
import { kinds } from "../../../operator/api/v1alpha1/index.ts";
import { toJson } from "../../../operator/kube/json.ts";
import { edit, invalidSpec, type KindName, sequence, validSpec } from "../../builders/arbitrary.ts";
import { schemaOf } from "../../builders/arbitrary-schema.ts";
import type { Fault } from "../../builders/arbitrary-violations.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { waitUntil } from "../../cluster/progress.ts";

const seed = Number(process.env.LEMNIS_SEED ?? 20260301);
/** What only the API server looks at: zod has neither lists with keys nor a number of entries. */
const ofTheSchemaAlone: ReadonlySet<Fault> = new Set(["duplicate", "entries"]);
const draw = <T>(arbitrary: fc.Arbitrary<T>, numRuns = 150): T[] => fc.sample(arbitrary, { seed, numRuns });

let plane: ControlPlane;
let dispatcher: Agent;

beforeAll(async () => {
  plane = await startControlPlane();
  dispatcher = new Agent({ connect: { ca: readFileSync(plane.caFile) } });
  for (const kind of kinds) {
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const { status, text } = await send("POST", path, JSON.stringify(buildCrd(kind)));
    expect(status, text).toBe(201);
  }
  // A CRD's schema is served a moment after it is made, and later still to server-side apply.
  for (const { kind } of kinds) {
    const failure = () => new Error(`${kind} is not served`);
    await waitUntil(() => served(kind), { timeoutMs: 20_000, failure });
  }
}, 60_000);

afterAll(async () => {
  await dispatcher?.close();
  await plane?.stop();
});

async function send(method: "POST" | "PATCH", path: string, body: string) {
  const type = method === "POST" ? "application/json" : "application/apply-patch+yaml";
  const headers = { authorization: `Bearer ${plane.token}`, "content-type": type };
  const answer = await request(`${plane.url}${path}`, { method, headers, body, dispatcher });
  return { status: answer.statusCode, text: await answer.body.text() };
}

interface Verdict {
  accepted: boolean;
  message: string;
}

function definitionOf(name: string) {
  const found = kinds.find(({ kind }) => kind === name);
  if (!found) throw new Error(`no kind ${name}`);
  return found;
}

/** What the API server says to a POST, which names fields as zod does, or to a server-side apply, which our operator uses. */
async function ask(method: "POST" | "PATCH", kind: string, spec: unknown): Promise<Verdict> {
  const { plural, scope } = definitionOf(kind);
  const path = `/apis/${apiVersion}/${scope === "Namespaced" ? `namespaces/default/${plural}` : plural}`;
  const how = "dryRun=All&fieldValidation=Strict&fieldManager=kubectl";
  const body = toJson({ apiVersion, kind, metadata: { name: "x" }, spec });
  const { status, text } = await (method === "POST"
    ? send(method, `${path}?${how}`, body)
    : send(method, `${path}/x?${how}&force=true`, body));
  return { accepted: status === 201, message: status === 201 ? "accepted" : (JSON.parse(text).message ?? text) };
}

const served = async (kind: string) => {
  const { message } = await ask("PATCH", kind, { sauce: 1 }).catch(() => ({ message: "not found" }));
  return message.includes(".spec.sauce: field not declared in schema");
};

/** zod's issues as "path: message", in the API server's notation. */
function zodOf(kind: string, spec: unknown): Verdict {
  const parsed = z.object({ spec: definitionOf(kind).spec }).safeParse({ spec });
  if (parsed.success) return { accepted: true, message: "accepted" };
  const told = parsed.error.issues.flatMap((issue) => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
    return unknown.map((key) => `${notation(key === undefined ? issue.path : [...issue.path, key])}: ${issue.message}`);
  });
  return { accepted: false, message: told.join(", ") };
}

const notation = (path: readonly PropertyKey[]) =>
  path
    .reduce<string>((text, step) => text + (typeof step === "number" ? `[${step}]` : `.${String(step)}`), "")
    .slice(1);

/** The path alone, not a longer one that it is part of; zod names the key where the API server names the map. */
const names = (message: string, path: string) => {
  const literal = path.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return new RegExp(`(^|[\\s"[])${literal}(:|"|\\.[^.: ]*: Invalid key)`, "s").test(message);
};

const short = (value: unknown) => JSON.stringify(value).slice(0, 500);

async function notAccepted(kind: string, specs: readonly unknown[]): Promise<string[]> {
  const found: string[] = [];
  for (const spec of specs) {
    const said = {
      zod: zodOf(kind, spec),
      create: await ask("POST", kind, spec),
      apply: await ask("PATCH", kind, spec),
    };
    for (const [who, { accepted, message }] of Object.entries(said)) {
      if (!accepted) found.push(`${who}: ${message.slice(0, 500)} ← ${short(spec)}`);
    }
  }
  return found;
}

describe.each<KindName>(["Dataset", "TrainingJob", "Model", "InferenceService"])("%s", (kind) => {
  it(`is accepted as it is drawn (seed ${seed})`, async () => {
    const specs = draw(validSpec(kind));
    expect(new Set(specs.flatMap(Object.keys))).toEqual(new Set(Object.keys(schemaOf(kind).schema.properties ?? {})));
    expect(await notAccepted(kind, specs)).toEqual([]);
  });

  it(`is refused with one field wrong, and the field is named (seed ${seed})`, async () => {
    const found: string[] = [];
    for (const { spec, path, fault } of draw(invalidSpec(kind))) {
      const create = await ask("POST", kind, spec);
      const zod = ofTheSchemaAlone.has(fault) ? create : zodOf(kind, spec);
      for (const [who, { message }] of Object.entries({ zod, create })) {
        if (!names(message, path)) found.push(`${who} on ${path}: ${message.slice(0, 500)} ← ${short(spec)}`);
      }
      const apply = await ask("PATCH", kind, spec);
      if (apply.accepted) found.push(`apply on ${path}: accepted ← ${short(spec)}`);
    }
    expect(found).toEqual([]);
  });

  it(`is accepted as it is edited, with one or two fields changed (seed ${seed})`, async () => {
    const edits = draw(
      validSpec(kind).chain((before) => edit(kind, before).map((after) => ({ before, after }))),
      50,
    );
    for (const { before, after } of edits) {
      const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
      const changed = fields.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
      expect([1, 2], short({ before, after })).toContain(changed.length);
    }
    expect(
      await notAccepted(
        kind,
        edits.map(({ after }) => after),
      ),
    ).toEqual([]);
  });
});

describe("a story", () => {
  it("is plain data that a seed tells again", () => {
    const [story, again] = [draw(sequence(20), 5), draw(sequence(20), 5)];
    expect(again).toEqual(story);
    expect(JSON.parse(JSON.stringify(story))).toEqual(story);
  });

  it("applies what is valid, and edits what it has applied", () => {
    const steps = draw(sequence(40), 20).flat();
    const applied = steps.filter((step) => step.verb === "apply");
    expect(applied.filter(({ kind, spec }) => !zodOf(kind, spec).accepted)).toEqual([]);
    expect([...new Set(steps.map(({ verb }) => verb))].sort()).toEqual([
      ...["annotate", "apply", "applyInvalid", "delete", "newData", "restartOperator"],
    ]);
  });
});
