/** A look: one reading of a Dataset's source. Its name says what was asked, so that nothing is read twice for one reason. */
import { Cron } from "croner";
import { jsonDigest, shortDigest } from "../../api/digest.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { annotations } from "../labels.ts";

export interface Look {
  /** Names the look: the same for the same spec, refresh annotation and tick of the schedule. */
  id: string;
  /** Names what is read and how: a look of another recipe is stale. */
  recipe: string;
  recipeDigest: string;
  /** When the schedule asks for the next one. */
  next: Date | undefined;
}

/** The look that the manifest asks for at this time. Throws a SyntaxError that names spec.schedule when it is no cron. */
export function wantedLook(dataset: Dataset, now: Date): Look {
  const { source, format, schema, splits, splitSeed, schedule } = dataset.spec;
  const recipeDigest = jsonDigest({ source, format, schema, splits, splitSeed });
  const recipe = shortDigest(recipeDigest);
  const refresh = dataset.metadata.annotations?.[annotations.refresh];
  const { tick, next } = schedule ? ticks(schedule, dataset, now) : { tick: undefined, next: undefined };
  return { id: shortDigest(jsonDigest({ recipe, refresh, tick: tick?.toISOString() })), recipe, recipeDigest, next };
}

/** The schedule's last time since the Dataset was made, and its next. Missed times count as one. */
function ticks(schedule: string, dataset: Dataset, now: Date): { tick: Date | undefined; next: Date | undefined } {
  let cron: Cron;
  try {
    cron = new Cron(schedule, { timezone: "UTC", paused: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SyntaxError(`spec.schedule "${schedule}" is not a cron schedule: ${why}`);
  }
  // previousRuns counts back from before its reference; a tick that is due this very second counts.
  const [tick] = cron.previousRuns(1, new Date(now.getTime() + 1000));
  const created = new Date(dataset.metadata.creationTimestamp ?? 0);
  return { tick: tick && tick > created ? tick : undefined, next: cron.nextRun(now) ?? undefined };
}
