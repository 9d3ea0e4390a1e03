import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DatasetVersionDetail } from "../../store/api.ts";
import { mapConcurrent } from "../artifact/concurrent.ts";
import { placeSplit } from "../artifact/split.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import type { StageTask } from "../tasks.ts";
import { getRevision } from "../version/revision.ts";

const contentTypes = {
  CSV: "text/csv",
  Parquet: "application/x-parquet",
  JSONL: "application/jsonlines",
  Files: "application/octet-stream",
};

/** Dataset versions at /opt/ml/input/data/{name}, and inputdataconfig.json that describes them. */
export async function stageInputs(context: AgentContext, { namespace, inputs }: StageTask): Promise<void> {
  const { paths } = context;
  const staged = await mapConcurrent(inputs, inputs.length, async (input) => {
    const version = await getRevision(context, { ...input, namespace });
    const split = chooseSplit(version, input);
    return { input, version, split };
  });
  const config: Record<string, unknown> = {};
  for (const { input, version, split } of staged) {
    const folder = join(paths.inputData, input.name);
    await placeSplit(context, { namespace, dataset: input.dataset, version, split, folder, location: input.location });
    const { format, columns, digest } = version;
    config[input.name] = {
      ContentType: contentTypes[format],
      TrainingInputMode: "File",
      S3DistributionType: "FullyReplicated",
      RecordWrapperType: "None",
      dataset: input.dataset,
      version: version.version,
      digest,
      split,
      columns,
      label: columns.find(({ role }) => role === "Label")?.name,
    };
  }
  await mkdir(paths.inputConfig, { recursive: true });
  await writeFile(join(paths.inputConfig, "inputdataconfig.json"), `${JSON.stringify(config, null, 2)}\n`);
}

function chooseSplit(version: DatasetVersionDetail, input: StageTask["inputs"][number]): string {
  const splits = Object.keys(version.splits);
  const wanted = input.split ?? (splits.includes("train") ? "train" : "all");
  if (splits.includes(wanted)) return wanted;
  throw permanent(
    "SourceNotFound",
    `version ${version.version} of Dataset ${input.dataset} has no split ${wanted}; it has ${splits.join(", ")}: name one of them in the input`,
  );
}
