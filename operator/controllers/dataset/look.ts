/** A look: one reading of a Dataset's source or inputs. Its name says what was asked, so that nothing is read twice for one reason. */
import { Cron } from "croner";
import { jsonDigest, shortDigest } from "../../api/digest.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { DatasetVersion } from "../../store/api.ts";
import { type References, referencesTo } from "../children/reference.ts";
import { annotations } from "../labels.ts";
import { isVerdict } from "../runtime-template.ts";
import type { Verdict } from "../verdict.ts";
import { type Others, type ResolvedInput, resolveInputs } from "./inputs.ts";

export interface Look {
  /** Names the look: the same for the same spec, refresh annotation, tick of the schedule, and inputs. */
  id: string;
  /** Names what is read and how: a look of another recipe is stale. */
  recipe: string;
  recipeDigest: string;
  /** When the schedule asks for the next one. */
  next: Date | undefined;
  /** Of a derived Dataset. */
  derivation?: { inputs: readonly ResolvedInput[]; references: References };
}

/** The look that the manifest asks for at this time, or what is to be waited for or mended first. */
export function wantedLook(dataset: Dataset, others: Others, now: Date): Look | Verdict {
  const recipeDigest = recipeDigestOf(dataset);
  const recipe = shortDigest(recipeDigest);
  const refresh = dataset.metadata.annotations?.[annotations.refresh];
  if (!dataset.spec.from) {
    const due = ticks(dataset, now);
    if (isVerdict(due)) return due;
    const id = shortDigest(jsonDigest({ recipe, refresh, tick: due.tick?.toISOString() }));
    return { id, recipe, recipeDigest, next: due.next };
  }
  const inputs = resolveInputs(dataset, others);
  if (isVerdict(inputs)) return inputs;
  const references = referencesTo(inputs.flatMap(({ dataset: name }) => others.get(name) ?? []));
  const data = inputs.map(({ name, digest, revision, split }) => ({ name, digest, revision, split }));
  const id = shortDigest(jsonDigest({ recipe, refresh, inputs: data }));
  return { id, recipe, recipeDigest, next: undefined, derivation: { inputs, references } };
}

/** False of a version that a look which is not wanted any more has registered after this one. */
export function isMadeBy({ recipeDigest, derivation }: Look, { recipe, parents = [] }: DatasetVersion): boolean {
  if (recipe !== undefined && recipe !== recipeDigest) return false;
  return (derivation?.inputs ?? []).every((input) =>
    parents.some(
      ({ dataset, digest, revision }) =>
        dataset === input.dataset && digest === input.digest && revision === input.revision,
    ),
  );
}

/** Names all that decides what a version is, but for the data: not who may see it, how it is kept and served, or when. */
export function recipeDigestOf({ spec }: Dataset): string {
  const { source, from, transform, format, csv, storage } = spec;
  const { schema, expectations, splits, splitBy, timeSplits, splitSeed } = spec;
  return jsonDigest({
    ...{ source, from, transform, format, csv, storage },
    ...{ schema, expectations, splits, splitBy, timeSplits, splitSeed },
  });
}

/** The schedule's last time since the Dataset was made, and its next. Missed times count as one. */
function ticks({ spec, metadata }: Dataset, now: Date): { tick?: Date; next?: Date } | Verdict {
  const { schedule } = spec;
  if (!schedule) return {};
  let cron: Cron;
  try {
    cron = new Cron(schedule, { timezone: "UTC", paused: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `spec.schedule "${schedule}" is not a cron schedule: ${why}`;
    return { state: "stalled", reason: "InvalidSchedule", message };
  }
  // previousRuns counts back from before its reference; a tick that is due this very second counts.
  const [tick] = cron.previousRuns(1, new Date(now.getTime() + 1000));
  const next = cron.nextRun(now);
  const created = new Date(metadata.creationTimestamp ?? 0);
  return { ...(tick && tick > created ? { tick } : {}), ...(next ? { next } : {}) };
}
