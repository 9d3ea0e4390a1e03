/** S4: what the store must have at the end of a story, once each: a record that is lost or doubled is a sentence. */
import type { ModelRecord } from "../../operator/store/api.ts";

export interface Records {
  model: ModelRecord;
  runs: readonly { phase: string }[];
  datasetVersions: readonly { digest: string }[];
}

/** By version of the model; of as many versions of the data, and by as many runs. */
const verdicts = { 1: "Passed", 2: "Passed", 3: "Failed" };
const champion = 2;

export function lostRecords({ model, runs, datasetVersions }: Records): string[] {
  const found: string[] = [];
  const asked = Object.keys(verdicts).length;
  const phases = runs.map(({ phase }) => phase);
  if (phases.length !== asked || phases.some((phase) => phase !== "Succeeded"))
    found.push(`S4: the store has the runs ${phases.join(", ")}`);
  if (datasetVersions.length !== asked)
    found.push(`S4: the store has ${datasetVersions.length} versions of the data, not ${asked}`);
  if (model.versions.length !== asked)
    found.push(`S4: the store has ${model.versions.length} versions of the model, not ${asked}`);
  if (model.aliases.champion !== champion)
    found.push(`S4: the store's champion is ${model.aliases.champion}, not ${champion}`);
  for (const { version, decision, evaluations } of model.versions) {
    const verdict = verdicts[version as keyof typeof verdicts];
    if (decision?.verdict !== verdict) found.push(`S4: version ${version} is ${decision?.verdict}, not ${verdict}`);
    const judged = evaluations.filter(({ digest }) => digest === decision?.evaluation);
    if (judged.length !== 1) found.push(`S4: the evaluation of version ${version} is there ${judged.length} times`);
  }
  return found;
}
