import type { DatasetVersionDetail } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";

interface Revision {
  namespace: string;
  dataset: string;
  digest: string;
  revision?: number | undefined;
}

/** A version as it was when it was asked for: the store has its last revision alone, and a run or evaluation is of one. */
export async function getRevision(
  { store }: AgentContext,
  { namespace, dataset, digest, revision = 1 }: Revision,
): Promise<DatasetVersionDetail> {
  const found = await store.getDatasetVersion(namespace, dataset, digest);
  const { version, revision: there = 1 } = found;
  if (there === revision) return found;
  throw permanent(
    "SourceChanged",
    `version ${version} of Dataset ${dataset} has got another format, csv or columns: it is at revision ${there}, and revision ${revision} was asked for`,
  );
}
