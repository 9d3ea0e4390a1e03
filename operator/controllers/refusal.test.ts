import { describe, expect, test } from "vitest";
import { model, start } from "../../test/builders/kinds.ts";
import { NameTakenError } from "../kube/apply.ts";
import { ApiError, ConnectionError } from "../kube/errors.ts";
import { services } from "../kube/resources.ts";
import type { Plan } from "../runtime/plan.ts";
import { refusalPlan } from "./refusal.ts";
import { conditionsOf } from "./verdict.ts";

const subject = model();
function planned(ready: boolean): Plan<object> {
  const verdict = { state: "progressing" as const, reason: "Evaluating", message: "on its way", ready };
  const own = [{ type: "CandidatePassed", status: true, reason: "GatesPassed", message: "passed" }];
  const status = { champion: 1, conditions: conditionsOf(subject, { verdict, own }, start) };
  return { apply: [], delete: [], status, events: [], outcome: { kind: "settled" } };
}
const told = (error: unknown, ready = false) => refusalPlan(subject, planned(ready), { error, now: start });

const quota = new ApiError("apply Job wine", 403, { reason: "Forbidden", message: "exceeded quota: jobs" });
const taken = new NameTakenError(
  services,
  { apiVersion: "v1", kind: "Service", metadata: { name: "wine" } },
  "kubectl",
);

describe("a refusal", () => {
  test.each([
    ["ChildRefused", quota, /exceeded quota: jobs/],
    ["ChildRefused", new ApiError("apply Job wine", 422, { message: "spec.template is invalid" }), /is invalid/],
    ["NameTaken", taken, /Service wine exists already/],
  ])("is told as %s, in condition and Event", (reason, error, says) => {
    const plan = told(error);
    expect(plan?.status).toMatchObject({
      champion: 1,
      conditions: [
        { type: "Ready", status: "False", reason, message: expect.stringMatching(says) },
        { type: "Stalled", status: "True", reason },
        { type: "CandidatePassed", status: "True" },
      ],
    });
    expect(plan?.events).toMatchObject([{ type: "Warning", reason }]);
    expect(plan?.apply).toEqual([]);
  });

  test("says the same each time, in whatever order the API server says it, and no more than one can read", () => {
    const cpu = { field: "spec.cpu", message: 'Invalid value: "-1": must be greater than or equal to 0' };
    const template = { field: "spec.template", message: `Invalid value: {${"x".repeat(3000)}}: field is immutable` };
    const refused = (...causes: object[]) =>
      told(new ApiError("apply Job wine", 422, { message: "is invalid", details: { causes } }));
    expect(refused(cpu, template)).toEqual(refused(template, cpu));
    expect(refused(template, cpu, cpu)?.events[0]?.message).toMatch(
      /^apply Job wine: 422 spec\.cpu: Invalid value: "-1": must be .* 0; spec\.template: .{0,300}: field is immutable$/,
    );
  });

  test("leaves Ready what is ready", () => {
    expect(told(quota, true)?.status).toMatchObject({ conditions: [{ type: "Ready", status: "True" }, {}, {}] });
  });
});

test.each([
  ["a connection that broke", new ConnectionError("apply Job wine", new Error("reset"))],
  ["a conflict", new ApiError("apply Job wine", 409, { reason: "Conflict" })],
  ["a bug", new TypeError("x is undefined")],
])("%s is no refusal", (_, error) => {
  expect(told(error)).toBeUndefined();
});
