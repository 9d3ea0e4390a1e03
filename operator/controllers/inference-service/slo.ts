/**
 * Service level objectives as Prometheus rules: the ratio of bad requests over seven windows, and alerts when the error
 * budget burns too fast (Google, The Site Reliability Workbook, chapter 5: multiwindow, multi-burn-rate alerts). The
 * ratios are of the metrics of MLServer's REST server, which counts by route and status and times in a histogram.
 */
import type { InferenceService } from "../../api/v1alpha1/inference-service.ts";
import { secondsOf } from "../../api/v1alpha1/slo.ts";
import { prometheusRules, serviceMonitors } from "../../kube/resources.ts";
import { apiVersionOf, type KubeObject } from "../../kube/types.ts";
import type { DomainCondition } from "../verdict.ts";
import { metadataOf } from "./children.ts";
import type { ObservedInferenceService } from "./observe.ts";
import type { Revision } from "./revision.ts";

/** One promise: how much may go wrong, and how much does in a window, as PromQL. */
interface Objective {
  name: "availability" | "latency";
  percent: number;
  badRatio: (window: string) => string;
  summary: string;
}

const windows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];
/** With 99.9 percent of 30 days: 2 % of the budget in an hour, 5 % in six, 10 % in a day and in three. */
const burns = [
  { factor: 14.4, long: "1h", short: "5m", severity: "page" },
  { factor: 6, long: "6h", short: "30m", severity: "page" },
  { factor: 3, long: "1d", short: "2h", severity: "ticket" },
  { factor: 1, long: "3d", short: "6h", severity: "ticket" },
];
/** The upper bounds of MLServer's histogram, in seconds: prometheus_client's defaults. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** A PrometheusRule for all objectives of one service. */
export function buildPrometheusRule(service: InferenceService): KubeObject {
  const { name } = service.metadata;
  const groups = objectivesOf(service).map((objective) => ({
    name: `slo-${objective.name}`,
    rules: [...windows.map((window) => recording(service, objective, window)), ...alerts(service, objective)],
  }));
  return {
    ...{ apiVersion: apiVersionOf(prometheusRules), kind: prometheusRules.kind, metadata: metadataOf(service, name) },
    spec: { groups: [...groups, { name: "slo-data", rules: [absence(service)] }] },
  } as KubeObject;
}

/** SLOMonitored: whether anything watches the objectives. */
export function sloCondition(
  { service, present, prometheusRule }: ObservedInferenceService,
  revision: Revision | undefined,
): DomainCondition | undefined {
  if (!service.spec.slo) return undefined;
  const condition = (status: boolean, reason: string, message: string) => ({
    ...{ type: "SLOMonitored", status, reason, message },
  });
  const absent = [
    ...(present.has("prometheusRules") ? [] : ["PrometheusRules"]),
    ...(present.has("serviceMonitors") ? [] : ["ServiceMonitors"]),
  ];
  if (absent.length > 0) {
    const message = `spec.slo needs the Prometheus operator, and the cluster serves no ${absent.join(" and ")} (${apiVersionOf(serviceMonitors)}): install it; until then nothing watches the objectives`;
    return condition(false, "PrometheusNotFound", message);
  }
  if (revision && revision.template.metricsPort === undefined) {
    const message =
      "the runtime has no metricsPort, so there is nothing to measure the objectives by: set it in the ServingRuntime or the template";
    return condition(false, "MetricsMissing", message);
  }
  if (!revision && !prometheusRule) return condition(false, "RulesPending", "there is no revision yet");
  return condition(
    true,
    "RulesApplied",
    `PrometheusRule ${service.metadata.name} watches the objectives, by the metrics rest_server_… of MLServer`,
  );
}

function objectivesOf(service: InferenceService): Objective[] {
  const { availability, latency } = service.spec.slo ?? {};
  const { name } = service.metadata;
  const objectives: Objective[] = [];
  if (availability !== undefined) {
    const rate = (window: string, matcher = "") =>
      `sum(rate(rest_server_requests_total{${predictions(service)}${matcher}}[${window}]))`;
    objectives.push({
      ...{
        name: "availability",
        percent: availability,
        summary: `InferenceService ${name} answers too many predictions with errors`,
      },
      // Where none failed there is no series of failures.
      badRatio: (window) => `(${rate(window, ',status_code=~"5.."')} or vector(0)) / (${rate(window)} > 0)`,
    });
  }
  if (latency) {
    const { threshold, percent } = latency;
    objectives.push({
      ...{
        name: "latency",
        percent,
        summary: `InferenceService ${name} answers too many predictions later than ${threshold}`,
      },
      badRatio: (window) => slowRatio(service, secondsOf(threshold), window),
    });
  }
  return objectives;
}

/** The series of predictions, which are not those of probes. */
function predictions({ metadata }: InferenceService): string {
  return `namespace="${metadata.namespace}",service="${metadata.name}",method="POST",path=~".*/infer"`;
}

/** Between two buckets linear, as histogram_quantile has it; failures are none of latency's. */
function slowRatio(service: InferenceService, seconds: number, window: string): string {
  const series = `${predictions(service)},status_code!~"5.."`;
  const rate = (suffix: string, matcher = "") =>
    `sum(rate(rest_server_request_duration_seconds_${suffix}{${series}${matcher}}[${window}]))`;
  // Versions of Prometheus differ in how they write whole numbers.
  const below = (bound: number) =>
    rate("bucket", Number.isInteger(bound) ? `,le=~"${bound}([.]0)?"` : `,le="${bound}"`);
  const upper = buckets.findIndex((bound) => bound >= seconds);
  const [low = 0, high = 0] = [buckets[upper - 1], buckets[upper]];
  const share = short((seconds - low) / (high - low));
  const fast = share === 1 ? below(high) : `(${below(low)} * ${short(1 - share)} + ${below(high)} * ${share})`;
  return `1 - ${fast} / (${rate("count")} > 0)`;
}

function recording(service: InferenceService, { name, badRatio }: Objective, window: string) {
  return { record: `slo:sli_error:ratio_rate${window}`, expr: badRatio(window), labels: identity(service, name) };
}

function alerts(service: InferenceService, { name, percent, summary }: Objective) {
  const labels = identity(service, name);
  const series = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const budget = short(1 - percent / 100);
  return (
    burns
      // More than everything can't fail.
      .filter(({ factor }) => factor * budget < 1)
      .map(({ factor, long, short: brief, severity }) => {
        const burning = (window: string) =>
          `slo:sli_error:ratio_rate${window}{${series.join(",")}} > ${factor} * ${budget}`;
        const description = `{{ $value | humanizePercentage }} of the last ${long}, where ${short(100 - percent)}% are allowed: the error budget burns at more than ${factor} times its pace.`;
        return {
          ...{ alert: "InferenceServiceErrorBudgetBurn", expr: `${burning(long)} and ${burning(brief)}` },
          ...{ labels: { ...labels, severity, window: long }, annotations: { summary, description } },
        };
      })
  );
}

/** Another runtime's metrics have other names, and a Prometheus may not select the ServiceMonitor: no data is no health. */
function absence(service: InferenceService) {
  const { name, namespace = "" } = service.metadata;
  const summary = `InferenceService ${name} has objectives, and no metrics to measure them by`;
  const description =
    "For half an hour there were no series rest_server_requests_total: is it scraped, and is its runtime MLServer?";
  return {
    alert: "InferenceServiceSLIMissing",
    expr: `absent(rest_server_requests_total{namespace="${namespace}",service="${name}"})`,
    for: "30m",
    labels: { namespace, inferenceservice: name, severity: "ticket" },
    annotations: { summary, description },
  };
}

function identity({ metadata }: InferenceService, slo: string) {
  return { namespace: metadata.namespace ?? "", inferenceservice: metadata.name, slo };
}

/** Without the noise of floating point: 0.001, not 0.0010000000000000009. */
function short(value: number): number {
  return Number(value.toPrecision(9));
}
