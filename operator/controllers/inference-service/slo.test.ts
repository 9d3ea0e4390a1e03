import { describe, expect, test } from "vitest";
import { inferenceService, servingRuntime, start } from "../../../test/builders/kinds.ts";
import { nothingServed } from "../../../test/builders/observed.ts";
import { settings } from "../../../test/builders/settings.ts";
import type { OptionalKind } from "../context.ts";
import type { ObservedInferenceService } from "./observe.ts";
import { planInferenceService } from "./plan.ts";
import { buildPrometheusRule } from "./slo.ts";

const served = { modelRef: undefined, storageUri: "s3://b/m", runtimeRef: { name: "mlserver" } };
const availability = { availability: 99.9 };

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels: Record<string, string>;
}
function rules(slo: object): Rule[] {
  const { spec } = buildPrometheusRule(inferenceService({ ...served, slo })) as unknown as {
    spec: { groups: { rules: Rule[] }[] };
  };
  return spec.groups.flatMap((group) => group.rules);
}

describe("the rules", () => {
  test("are seven ratios and four alerts an objective, and one for no data", () => {
    const both = rules({ ...availability, latency: { threshold: "200ms", percent: 99 } });
    expect(both.filter(({ record }) => record)).toHaveLength(14);
    expect(both.filter(({ alert }) => alert === "InferenceServiceErrorBudgetBurn")).toHaveLength(8);
    expect(both.filter(({ alert }) => alert === "InferenceServiceSLIMissing")).toHaveLength(1);
    expect(rules(availability)).toHaveLength(12);
  });

  test("burn by the workbook's factors, written so that they can be read", () => {
    const [first] = rules(availability).filter(({ alert }) => alert);
    const labels = 'namespace="team-a",inferenceservice="wine",slo="availability"';
    expect(first?.expr).toBe(
      `slo:sli_error:ratio_rate1h{${labels}} > 14.4 * 0.001 and slo:sli_error:ratio_rate5m{${labels}} > 14.4 * 0.001`,
    );
    expect(first?.labels).toMatchObject({ severity: "page", window: "1h" });
  });

  test("leave out an alert that could never fire", () => {
    const severities = rules({ availability: 90 }).flatMap(({ alert, labels }) => (alert ? [labels.window] : []));
    expect(severities).toEqual(["6h", "1d", "3d", undefined]);
  });

  test.each([
    ["250ms", /le="0\.25"/, /le="0\.1"/],
    ["1s", /le=~"1\(\[\.\]0\)\?"/, /le="0\.75"/],
  ])("count a threshold of %s by its own bucket alone", (threshold, own, other) => {
    const [ratio] = rules({ latency: { threshold, percent: 99 } });
    expect(ratio?.expr).toMatch(own);
    expect(ratio?.expr).not.toMatch(other);
  });
});

describe("SLOMonitored", () => {
  const all: OptionalKind[] = ["serviceMonitors", "prometheusRules"];
  function plan(
    kinds: OptionalKind[],
    { spec = { slo: availability } as object, ...rest }: Partial<ObservedInferenceService> & { spec?: object } = {},
  ) {
    const service = inferenceService({ ...served, ...spec });
    const observed = { ...nothingServed, service, present: new Set(kinds), ...rest };
    const { apply, status } = planInferenceService(observed, settings, start);
    return {
      rule: apply.find(({ object }) => object.kind === "PrometheusRule")?.object,
      condition: status.conditions?.find(({ type }) => type === "SLOMonitored"),
    };
  }

  test("is True when there is a rule, and a ServiceMonitor beside it", () => {
    const { rule, condition } = plan(all);
    expect(rule?.metadata).toMatchObject({ name: "wine", labels: { "app.kubernetes.io/managed-by": "lemnis" } });
    expect(condition).toMatchObject({ status: "True", reason: "RulesApplied" });
  });

  test.each<[string, OptionalKind[], RegExp]>([
    ["both", [], /serves no PrometheusRules and ServiceMonitors/],
    ["one", ["serviceMonitors"], /serves no PrometheusRules \(/],
    ["the other", ["prometheusRules"], /serves no ServiceMonitors \(/],
  ])("is False while the cluster lacks %s, and no rule is made", (_, kinds, says) => {
    const { rule, condition } = plan(kinds);
    expect(rule).toBeUndefined();
    expect(condition).toMatchObject({ reason: "PrometheusNotFound", message: expect.stringMatching(says) });
  });

  test("is False for a runtime without metrics, and waits for a revision", () => {
    const { metricsPort: _, ...spec } = servingRuntime.spec;
    const silent = plan(all, { runtimes: [{ ...servingRuntime, spec }] });
    expect(silent).toMatchObject({ rule: undefined, condition: { status: "False", reason: "MetricsMissing" } });
    expect(plan(all, { runtimes: [] }).condition).toMatchObject({ status: "False", reason: "RulesPending" });
  });

  test("is not said when nothing is promised", () => {
    expect(plan(all, { spec: {} })).toEqual({ rule: undefined, condition: undefined });
  });
});
