/** Before and after the user's container: what is staged, what is published, what is imported. */
import { readdirSync, writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ImportTask, PublishTask, StageTask } from "../../../operator/agent/tasks.ts";
import { codeDigest } from "../../../operator/api/digest.ts";
import { runResult, sha256 } from "../../builders/store.ts";
import { namespace, snapshotTask, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const permanent = 3;
const { trigger, recipe, inputs, parameters, image } = runResult();
const publishTask: PublishTask = {
  ...{ verb: "publish", namespace, trainingJob: "wine", runDigest: sha256("run") },
  run: { trigger, recipe, inputs, parameters, image },
  model: { name: "wine", format: "sklearn" },
};
const model = (path: string, content: string) => writeFile(join(world.paths.model, path), content);
const metrics = (content: string) => writeFile(join(world.paths.output, "metrics.json"), content);

describe("publish", () => {
  test("registers run and model together, once, however often it runs", async () => {
    await model("model.joblib", "weights");
    await mkdir(join(world.paths.model, "extra"));
    await model("extra/labels.txt", "a\nb\n");
    await metrics('{"accuracy": 0.9, "epochs": 12}');
    for (let time = 0; time < 2; time++) expect((await world.run(publishTask)).code).toBe(0);
    const { runs } = await world.store.trainingJob(namespace, "wine");
    expect(runs).toMatchObject([{ phase: "Succeeded", metrics: { accuracy: 0.9, epochs: 12 }, model: { version: 1 } }]);
    const { versions } = await world.store.model(namespace, "wine");
    expect(versions).toHaveLength(1);
    const { files } = await world.store.getModelVersion(namespace, "wine", "1");
    expect(files.map(({ path }) => path)).toEqual(["extra/labels.txt", "model.joblib"]);
  });

  test("works without metrics", async () => {
    await model("model.joblib", "weights");
    expect((await world.run(publishTask)).code).toBe(0);
  });

  test("of no model says where to write it", async () => {
    const { code, message } = await world.run(publishTask);
    expect([code, message]).toEqual([
      permanent,
      { reason: "ModelMissing", message: expect.stringContaining("/opt/ml/model") },
    ]);
  });

  test.each([
    ["{", /not JSON/],
    ["[1]", /no object/],
    ['{"accuracy": "good"}', /"accuracy" is "good", not a finite number/],
    ['{"nested": {"a": 1}}', /"nested" is an object/],
    ['{"loss": NaN}', /NaN and Infinity are no JSON numbers/],
    ['{"loss": 1e999}', /"loss"/],
  ])("of the metrics %s says what is wrong", async (content, says) => {
    await model("model.joblib", "weights");
    await metrics(content);
    const { code, message } = await world.run(publishTask);
    expect([code, message]).toEqual([permanent, { reason: "MetricsInvalid", message: expect.stringMatching(says) }]);
    expect((await world.store.model(namespace, "wine")).versions).toEqual([]);
  });
});

describe("stage", () => {
  const input = (digest: string, split?: string): StageTask["inputs"][number] => ({
    ...{ name: "train", dataset: "wine", digest },
    ...(split ? { split } : {}),
  });
  const stageTask = (changes: Partial<StageTask>): StageTask => ({ verb: "stage", namespace, inputs: [], ...changes });

  async function snapshot(): Promise<string> {
    const rows = Array.from({ length: 50 }, (_, index) => `${index},${index % 2}\n`).join("");
    await world.source("wine.csv", `id,class\n${rows}`);
    const splits = {
      seed: 0,
      shares: [
        { name: "train", percent: 80 },
        { name: "test", percent: 20 },
      ],
    };
    const { message } = await world.run(
      snapshotTask("wine.csv", { splits, columns: [{ name: "class", role: "Label" }] }),
    );
    return message.digest;
  }

  test("brings the split that is named and no other, and says what it is", async () => {
    const digest = await snapshot();
    const hyperparameters = { C: 1, solver: "lbfgs", fit: true };
    expect((await world.run(stageTask({ inputs: [input(digest, "train")], hyperparameters }))).code).toBe(0);
    expect(readdirSync(world.paths.inputData)).toEqual(["train"]);
    expect(readdirSync(join(world.paths.inputData, "train"))).toEqual(["wine.csv"]);
    const config = JSON.parse(await readFile(join(world.paths.inputConfig, "inputdataconfig.json"), "utf8"));
    expect(config.train).toMatchObject({ ContentType: "text/csv", split: "train", label: "class", digest });
    expect(JSON.parse(await readFile(join(world.paths.inputConfig, "hyperparameters.json"), "utf8"))).toEqual(
      hyperparameters,
    );
  });

  test("takes train where no split is named, and refuses one that is not there", async () => {
    const digest = await snapshot();
    await world.run(stageTask({ inputs: [input(digest)] }));
    const config = JSON.parse(await readFile(join(world.paths.inputConfig, "inputdataconfig.json"), "utf8"));
    expect(config.train.split).toBe("train");
    const { code, message } = await world.run(stageTask({ inputs: [input(digest, "dev")] }));
    expect([code, message]).toEqual([
      permanent,
      { reason: "SourceNotFound", message: expect.stringContaining("it has train, test") },
    ]);
  });

  test("takes no version whose columns have been declared anew since", async () => {
    const digest = await snapshot();
    const { version: _, createdAt: __, ...told } = await world.store.getDatasetVersion(namespace, "wine", digest);
    const columns = told.columns.map(({ role: _, ...column }) => column);
    await world.store.registerDatasetVersion(namespace, "wine", { ...told, columns, retain: 10 });
    const { code, message } = await world.run(stageTask({ inputs: [input(digest)] }));
    expect([code, message]).toEqual([
      permanent,
      { reason: "SourceChanged", message: expect.stringMatching(/^version 1 of Dataset wine .* at revision 2/) },
    ]);
    expect((await world.run(stageTask({ inputs: [{ ...input(digest), revision: 2 }] }))).code).toBe(0);
  });

  test("places no bytes that are not those of their digest", async () => {
    const digest = await snapshot();
    const { files } = await world.store.getDatasetVersion(namespace, "wine", digest);
    const hex = files.find(({ path }) => path.startsWith("train/"))?.digest.slice(7) ?? "";
    const onDisk = join(world.paths.work, "..", "..", "store/blobs", namespace, "sha256", hex.slice(0, 2), hex);
    writeFileSync(onDisk, (await readFile(onDisk, "utf8")).replace("1", "9"));
    const { code, message } = await world.run(stageTask({ inputs: [input(digest, "train")] }));
    expect(code).not.toBe(0);
    expect(message.message).toMatch(/other bytes than sha256:/);
    expect(readdirSync(join(world.paths.inputData, "train"))).toEqual([]);
  });

  test("copies the code when it is the run's, and says when it has changed", async () => {
    const binary = Buffer.from([0x00, 0xff, 0xfe, 0x80]);
    const files = { "train.py": Buffer.from("print(1)\n").toString("base64"), "lib.zip": binary.toString("base64") };
    for (const [name, text] of Object.entries(files))
      await writeFile(join(world.paths.codeSource, name), text, "base64");
    expect((await world.run(stageTask({ code: codeDigest(files) }))).code).toBe(0);
    expect(await readFile(join(world.paths.code, "train.py"), "utf8")).toBe("print(1)\n");
    expect(await readFile(join(world.paths.code, "lib.zip"))).toEqual(binary);
    await writeFile(join(world.paths.codeSource, "train.py"), "print(2)\n");
    const { code, message } = await world.run(stageTask({ code: codeDigest(files) }));
    expect([code, message.reason]).toEqual([permanent, "CodeChanged"]);
  });

  test("brings a model by name, and leaves nothing of another one beside it", async () => {
    await model("model.joblib", "weights");
    const { message } = await world.run(publishTask);
    await mkdir(world.paths.servedModel, { recursive: true });
    await writeFile(join(world.paths.servedModel, "old.bin"), "of an earlier try");
    expect((await world.run(stageTask({ model: { name: "wine", digest: message.digest } }))).code).toBe(0);
    expect(readdirSync(world.paths.servedModel)).toEqual(["model.joblib"]);
  });

  test("brings a model by uri when its digest is right", async () => {
    await world.source("model.joblib", "weights");
    const uri = { uri: "pvc://models/model.joblib", secret: false };
    expect((await world.run(stageTask({ model: { ...uri, digest: sha256("weights") } }))).code).toBe(0);
    expect(await readFile(join(world.paths.servedModel, "model.joblib"), "utf8")).toBe("weights");
    const { code, message } = await world.run(stageTask({ model: { ...uri, digest: sha256("others") } }));
    expect([code, message]).toEqual([
      permanent,
      { reason: "DigestMismatch", message: expect.stringContaining(sha256("weights")) },
    ]);
  });
});

describe("import", () => {
  const task = (digest: string): ImportTask => ({
    ...{ verb: "import", namespace, model: "wine", format: "sklearn", digest },
    source: { uri: "pvc://models/model.joblib", secret: false },
  });

  test("registers a model once", async () => {
    await world.source("model.joblib", "weights");
    for (let time = 0; time < 2; time++)
      expect((await world.run(task(sha256("weights")))).message).toMatchObject({ version: 1 });
    expect((await world.store.model(namespace, "wine")).versions).toMatchObject([
      { version: 1, source: { uri: "pvc://models/model.joblib", digest: sha256("weights") } },
    ]);
  });

  test("refuses bytes of another digest", async () => {
    await world.source("model.joblib", "others");
    const { code, message } = await world.run(task(sha256("weights")));
    expect([code, message.reason]).toEqual([permanent, "DigestMismatch"]);
    expect((await world.store.model(namespace, "wine")).versions).toEqual([]);
  });
});
