/** A revision: one model in one container, named by the digest of both. */
import { jsonDigest, shortDigest } from "../../api/digest.ts";
import type { ServingTemplate } from "../../api/v1alpha1/inference-service.ts";
import type { ModelVersion } from "../../store/api.ts";
import { essence, isVerdict, resolveTemplate } from "../runtime-template.ts";
import type { Verdict } from "../verdict.ts";
import type { ObservedInferenceService } from "./observe.ts";

/** A registered version, or a uri that is served as it is. */
export type ServedModel = { name: string; version: number; digest: string } | { uri: string };

export interface Revision {
  /** The Deployment's name. */
  name: string;
  model: ServedModel;
  template: ServingTemplate;
}

/** The revision that the manifest asks for, or what is still missing. */
export function resolveRevision(observed: ObservedInferenceService): Revision | Verdict {
  const { service, model, runtimes } = observed;
  const { storageUri, storage, template: own, runtimeRef, resources } = service.spec;
  const served = storageUri ? { uri: storageUri } : resolveModel(observed);
  if (isVerdict(served)) return served;
  const wish = { template: own, runtimeRef, format: model?.spec.format.name };
  const template = resolveTemplate(wish, runtimes, "ServingRuntime");
  if (isVerdict(template)) return template;
  const digest = jsonDigest({
    model: "digest" in served ? served.digest : { ...served, storage },
    template: { ...template, container: essence(template.container) },
    resources,
  });
  return { name: `${service.metadata.name}-${shortDigest(digest)}`, model: served, template };
}

function resolveModel({ service, model, pinned }: ObservedInferenceService): ServedModel | Verdict {
  const ref = service.spec.modelRef;
  const name = ref?.name ?? "";
  const waiting = (reason: string, message: string): Verdict => ({ state: "waiting", reason, message });
  if (!model) return waiting("ModelNotFound", `Model ${name} does not exist in this namespace`);
  const alias = ref?.alias ?? "champion";
  const number = ref?.version ?? model.status?.aliases?.[alias];
  if (number === undefined) {
    return waiting("AliasNotFound", `Model ${name} has no version with the alias ${alias} yet`);
  }
  const shown = model.status?.versions?.find((candidate) => candidate.version === number);
  const version = shown ?? ("found" in pinned && pinned.found ? unshown(pinned.found) : undefined);
  if (!version && "unavailable" in pinned) return waiting("StoreUnavailable", pinned.unavailable);
  if (!version) return waiting("VersionNotFound", `Model ${name} has no version ${number}`);
  if (version.stage === "Candidate") return waiting("VersionNotJudged", `version ${number} has not been judged yet`);
  if (version.stage === "Failed") {
    const message = `version ${number} of Model ${name} failed its gates: ${version.message}`;
    return { state: "stalled", reason: "VersionFailed", message };
  }
  return { name, version: number, digest: version.digest };
}

/** A version of the store as the Model's status would show it. */
function unshown({ digest, decision }: ModelVersion) {
  const stage = decision ? decision.verdict : "Candidate";
  return { digest, stage, message: decision?.message };
}
