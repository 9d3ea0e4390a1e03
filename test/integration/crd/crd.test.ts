/** Every case against zod and against a real API server: both must agree, and name the field. */
import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { buildCrd } from "../../../operator/api/crd.ts";
import { apiVersion } from "../../../operator/api/v1alpha1/common.ts";
import { kinds } from "../../../operator/api/v1alpha1/index.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { cases } from "./cases/all.ts";

let plane: ControlPlane;
let dispatcher: Agent;

beforeAll(async () => {
  plane = await startControlPlane();
  dispatcher = new Agent({ connect: { ca: readFileSync(plane.caFile) } });
  for (const kind of kinds) {
    const { status, text } = await post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", buildCrd(kind));
    expect(status, text).toBe(201);
  }
  for (const kind of kinds) await established(kind.plural);
}, 60_000);

afterAll(async () => {
  await dispatcher?.close();
  await plane?.stop();
});

async function post(path: string, body: object): Promise<{ status: number; text: string }> {
  const answer = await request(`${plane.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${plane.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    dispatcher,
  });
  return { status: answer.statusCode, text: await answer.body.text() };
}

/** A CRD's schema is served a moment after it is made; until then the path is not found. */
async function established(plural: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { status } = await post(`/apis/${apiVersion}/${kindOf(plural).path}?dryRun=All`, {});
    if (status !== 404) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${plural} is not served`);
}

function kindOf(name: string) {
  const kind = kinds.find((candidate) => candidate.kind === name || candidate.plural === name);
  if (!kind) throw new Error(`no kind ${name}`);
  return { ...kind, path: kind.scope === "Namespaced" ? `namespaces/default/${kind.plural}` : kind.plural };
}

function create(kind: string, spec: unknown, name = "x") {
  const path = `/apis/${apiVersion}/${kindOf(kind).path}?dryRun=All&fieldValidation=Strict`;
  return post(path, { apiVersion, kind, metadata: { name }, spec });
}

describe.each(cases)("$kind, $title", ({ kind, spec, refused }) => {
  it(`is ${refused ? "refused" : "accepted"} by zod`, () => {
    const parsed = z.object({ spec: kindOf(kind).spec }).safeParse({ spec });
    const told = parsed.success ? "accepted" : z.prettifyError(parsed.error);
    if (refused) expect(told.replaceAll("\n", " ")).toSatisfy((text: string) => mentions(text, refused));
    else expect(told).toBe("accepted");
  });

  it(`is ${refused ? "refused" : "accepted"} by the API server`, async () => {
    const { status, text } = await create(kind, spec);
    if (!refused) return expect(status, text).toBe(201);
    expect([400, 422], text).toContain(status);
    expect(text).toMatch(refused);
    return undefined;
  });
});

/** zod says "message → at path"; the API server "path: message". Each part of the pattern must be in the text. */
function mentions(text: string, pattern: RegExp): boolean {
  return pattern.source.split(".*").every((part) => new RegExp(part).test(text));
}

describe("metadata.name", () => {
  it.each(["a", "a".repeat(40), "wine-2"])("%s is accepted", async (name) => {
    const { status, text } = await create("Model", { task: "Regression", format: { name: "x" } }, name);
    expect(status, text).toBe(201);
  });
  it.each(["a".repeat(41), "1wine", "wine.red"])("%s is refused", async (name) => {
    const { status, text } = await create("Model", { task: "Regression", format: { name: "x" } }, name);
    expect(status).toBe(422);
    expect(text).toMatch(/metadata.name must be at most 40/);
  });
});
