import type { InferenceServiceStatus, RevisionStatus } from "../../api/v1alpha1/inference-service.ts";
import { deployments as deploymentResource } from "../../kube/resources.ts";
import type { Plan, PlannedEvent } from "../../runtime/plan.ts";
import { crashTrouble, refusalTrouble, startTrouble } from "../children/failure.ts";
import type { Settings } from "../context.ts";
import { annotations } from "../labels.ts";
import { outcomeOf, storeRetryMs } from "../outcome.ts";
import { isVerdict } from "../runtime-template.ts";
import { conditionsOf, type DomainCondition, type Verdict } from "../verdict.ts";
import { serviceUrl } from "./children.ts";
import { externalUrl, gatewayCondition } from "./gateway.ts";
import type { ObservedInferenceService } from "./observe.ts";
import { planChildren, planFront } from "./plan-children.ts";
import { type Revision, resolveRevision } from "./revision.ts";
import { isServing, planRollout, type Rollout } from "./rollout.ts";
import { scalingCondition } from "./scaling.ts";
import { sloCondition } from "./slo.ts";

/** What to do about an InferenceService: a Deployment per revision, and the traffic on the one that is ready. */
export function planInferenceService(
  observed: ObservedInferenceService,
  settings: Settings,
  now: Date,
): Plan<InferenceServiceStatus> {
  const { service, deployments, pinned } = observed;
  const resolved = resolveRevision(observed);
  const revision = isVerdict(resolved) ? undefined : resolved;
  const rollout = keepPinned(
    observed,
    planRollout(observed, { wanted: revision?.name, drainMs: settings.drainMs }, now),
  );
  const verdict = isVerdict(resolved)
    ? keepServing(observed, resolved, rollout)
    : conclude(observed, resolved, rollout);
  const children = revision
    ? planChildren(observed, { revision, rollout }, settings)
    : { apply: planFront(observed, undefined, rollout), unwanted: [] };
  const retired = rollout.retired.map(({ metadata }) => ({
    resource: deploymentResource,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    uid: metadata.uid ?? "",
  }));
  const modelVersion = deployments.find(({ metadata }) => metadata.name === rollout.traffic)?.metadata.annotations?.[
    annotations.modelVersion
  ];
  const askAgain = new Date(now.getTime() + storeRetryMs);
  return {
    apply: children.apply,
    delete: [...retired, ...children.unwanted],
    status: {
      observedGeneration: service.metadata.generation ?? 0,
      conditions: conditionsOf(service, { verdict, own: ownConditions(observed, revision) }, now),
      url: externalUrl(observed) ?? serviceUrl(service),
      ...(modelVersion ? { modelVersion: Number(modelVersion) } : {}),
      revisions: projectRevisions(observed, rollout),
    },
    events: planEvents(observed, rollout, verdict),
    outcome: outcomeOf(
      verdict,
      [...rollout.draining.map(({ until }) => until), "unavailable" in pinned ? askAgain : undefined],
      now,
    ),
  };
}

/** Revisions of the version that the manifest is pinned to stay while the store can't say whether they are wanted. */
function keepPinned({ service, pinned }: ObservedInferenceService, rollout: Rollout): Rollout {
  if ("found" in pinned) return rollout;
  const version = String(service.spec.modelRef?.version);
  const retired = rollout.retired.filter(
    ({ metadata }) => metadata.annotations?.[annotations.modelVersion] !== version,
  );
  return { ...rollout, retired };
}

/** What is said beside Ready, of what the manifest asks for. */
function ownConditions(observed: ObservedInferenceService, revision: Revision | undefined): DomainCondition[] {
  return [gatewayCondition(observed), scalingCondition(observed), sloCondition(observed, revision)].filter(
    (condition) => condition !== undefined,
  );
}

function conclude(observed: ObservedInferenceService, revision: Revision, rollout: Rollout): Verdict {
  const { deployments, pods } = observed;
  const next = deployments.find(({ metadata }) => metadata.name === revision.name);
  const what =
    "version" in revision.model ? `model version ${revision.model.version}` : revision.model.uri.split("?")[0];
  if (next && rollout.traffic === revision.name && isServing(next, rollout.replicas)) {
    return { state: "ready", reason: "Serving", message: `${what} has the traffic` };
  }
  const serving = deployments.find(({ metadata }) => metadata.name === rollout.traffic);
  const ready = (serving?.status?.readyReplicas ?? 0) > 0;
  const meanwhile = ready && rollout.traffic !== revision.name ? `; revision ${rollout.traffic} keeps serving` : "";
  const ofRevision = pods.get(revision.name) ?? [];
  const trouble = crashTrouble(ofRevision, 1) ?? startTrouble(ofRevision) ?? refusalTrouble(next);
  if (trouble) {
    return { state: "progressing", reason: trouble.reason, message: `${what}: ${trouble.message}${meanwhile}`, ready };
  }
  const count = `${next?.status?.readyReplicas ?? 0} of ${rollout.replicas} replicas ready`;
  return { state: "progressing", reason: "RollingOut", message: `${what} is starting, ${count}${meanwhile}`, ready };
}

/** What is asked for can't be had: whatever serves goes on serving. */
function keepServing({ deployments }: ObservedInferenceService, problem: Verdict, { traffic }: Rollout): Verdict {
  const serving = deployments.find(({ metadata }) => metadata.name === traffic);
  if (!serving?.status?.readyReplicas) return problem;
  return { ...problem, ready: true, message: `${problem.message}; revision ${serving.metadata.name} keeps serving` };
}

function projectRevisions({ deployments }: ObservedInferenceService, rollout: Rollout): RevisionStatus[] {
  const retired = new Set(rollout.retired.map(({ metadata }) => metadata.name));
  return deployments
    .filter(({ metadata }) => !retired.has(metadata.name))
    .sort((a, b) => (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? ""))
    .slice(0, 10)
    .map(({ metadata, spec, status }) => {
      const version = metadata.annotations?.[annotations.modelVersion];
      const until = rollout.draining.find(({ deployment }) => deployment.metadata.name === metadata.name)?.until;
      return {
        name: metadata.name,
        ...(version ? { modelVersion: Number(version) } : {}),
        trafficPercent: metadata.name === rollout.traffic ? 100 : 0,
        replicas: spec?.replicas ?? 0,
        readyReplicas: status?.readyReplicas ?? 0,
        ...(until ? { drainUntil: until.toISOString() } : {}),
      };
    });
}

function planEvents({ service }: ObservedInferenceService, rollout: Rollout, verdict: Verdict): PlannedEvent[] {
  const served = service.status?.revisions?.find(({ trafficPercent }) => trafficPercent > 0)?.name;
  const events: PlannedEvent[] = [];
  if (served && rollout.traffic && rollout.traffic !== served) {
    const message = `traffic moved from revision ${served} to ${rollout.traffic}`;
    events.push({ type: "Normal", reason: "TrafficMoved", message });
  }
  const trouble = verdict.state === "stalled" || (verdict.state === "progressing" && verdict.reason !== "RollingOut");
  if (trouble) events.push({ type: "Warning", reason: verdict.reason, message: verdict.message });
  const wasReady = service.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  if (verdict.state === "ready" && !wasReady) {
    events.push({ type: "Normal", reason: verdict.reason, message: verdict.message });
  }
  return events;
}
