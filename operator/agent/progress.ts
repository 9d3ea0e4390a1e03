import type { Progress } from "../store/api.ts";
import type { AgentContext } from "./context.ts";

/** How far a reading has come; cheap to call, and told to the store now and then. */
export type Tell = (progress: Progress) => void;

/** Milliseconds between two messages. */
const pause = 2000;

/** Tells the store; a store that doesn't listen disturbs nothing. */
export function progressTo(
  { store, logger }: Pick<AgentContext, "store" | "logger">,
  { namespace, dataset }: { namespace: string; dataset: string },
): Tell {
  let next = 0;
  let sending = false;
  return (progress) => {
    const now = performance.now();
    if (sending || now < next) return;
    next = now + pause;
    sending = true;
    store
      .putDatasetProgress(namespace, dataset, progress)
      .catch((error: unknown) => logger.debug({ error: String(error) }, "the progress could not be told"))
      .finally(() => {
        sending = false;
      });
  };
}
