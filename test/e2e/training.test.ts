/** Training that goes wrong, each in its own way: what the user is told, and that nothing loops. */
import { beforeAll, describe, expect, test } from "vitest";
import { kubectl } from "../demo/target.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;

/** A TrainingJob of a Model of the same name, whose container runs a line of Python. */
function training(name: string, python: string, changes: { image?: string; memory?: string; spec?: object } = {}) {
  return {
    kind: "TrainingJob",
    metadata: { name },
    spec: {
      modelRef: { name },
      template: { container: { image: changes.image ?? world.images.sklearn, command: ["python3", "-c", python] } },
      resources: { limits: { memory: changes.memory ?? "256Mi" } },
      backoffLimit: 0,
      ...changes.spec,
    },
  };
}

function model(name: string) {
  return { kind: "Model", metadata: { name }, spec: { task: "Classification", format: { name: "sklearn" } } };
}

const succeed = "open('/opt/ml/model/model.txt', 'w').write('a model')";
const trained = (metrics: string) => `${succeed}; open('/opt/ml/output/metrics.json', 'w').write('''${metrics}''')`;

interface Failure {
  python: string;
  memory?: string;
  spec?: object;
  reason: string;
  /** Words that the message has. */
  says: RegExp;
}

const failures: Record<string, Failure> = {
  "exits-1": { python: "raise SystemExit(1)", reason: "ContainerFailed", says: /train exited with code 1.*logs/ },
  "out-of-memory": {
    python: "x = bytearray(2_000_000_000)",
    memory: "64Mi",
    reason: "OutOfMemory",
    says: /resources\.limits\.memory/,
  },
  "writes-no-model": { python: "pass", reason: "ModelMissing", says: /\/opt\/ml\/model/ },
  "text-for-a-metric": { python: trained('{"accuracy": "good"}'), reason: "MetricsInvalid", says: /accuracy/ },
  "nan-for-a-metric": { python: trained('{"accuracy": NaN}'), reason: "MetricsInvalid", says: /metrics\.json/ },
  "takes-too-long": {
    python: "import signal, time; signal.signal(signal.SIGTERM, signal.default_int_handler); time.sleep(600)",
    spec: { activeDeadlineSeconds: 5 },
    reason: "DeadlineExceeded",
    says: /did not end in time/,
  },
};

beforeAll(async () => {
  world = await makeWorld("training");
  const broken = Object.entries(failures).map(([name, { python, reason: _, says: __, ...changes }]) =>
    training(name, python, changes),
  );
  await world.apply(
    ...broken,
    training("no-image", "pass", { image: "docker.io/lemnis/no-such-image:1" }),
    training("no-code", "pass", { spec: { code: { configMapRef: { name: "later" } } } }),
    training("no-data", "pass", {
      spec: { inputs: [{ name: "train", datasetRef: { name: "nowhere" } }] },
    }),
    ...[...Object.keys(failures), "no-image", "no-code", "no-data", "killed"].map(model),
  );
});

describe.each(Object.entries(failures))("a run that %s", (name, { reason, says }) => {
  test("fails with its reason, in a condition and an Event", async () => {
    const condition = await world.reason("trainingjob", name, reason);
    expect(condition.message).toMatch(says);
    const { status } = await world.get("trainingjob", name);
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: "Stalled", status: "True", reason }));
    expect(status.run).toMatchObject({ phase: "Failed", reason });
    expect(await world.events(name, reason)).toHaveLength(1);
    expect((await world.get("model", name)).status.versions).toEqual([]);
  });
});

test("an image that can't be pulled is named, and a corrected one trains", async () => {
  const condition = await world.reason("trainingjob", "no-image", "ImagePullFailed");
  expect(condition.message).toContain("no-such-image");
  await world.apply(training("no-image", succeed));
  await world.reason("trainingjob", "no-image", "RunSucceeded");
});

test("a reference that is missing is waited for", async () => {
  const code = await world.reason("trainingjob", "no-code", "CodeNotFound");
  expect(code.message).toContain("later");
  expect((await world.reason("trainingjob", "no-data", "DatasetNotFound")).message).toContain("nowhere");
  const files = { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "later" }, data: { "a.py": succeed } };
  await world.apply(
    files,
    training("no-code", "exec(open('/opt/ml/code/a.py').read())", {
      spec: { code: { configMapRef: { name: "later" } } },
    }),
  );
  await world.reason("trainingjob", "no-code", "RunSucceeded");
});

test("a pod that is killed mid-way is replaced, and one version is made", async () => {
  await world.apply(training("killed", `import time; time.sleep(8); ${succeed}`, { spec: { backoffLimit: 2 } }));
  const selector = "lemnis.dev/trainingjob=killed";
  await world.until("trainingjob", "killed", ({ status }) => status?.run?.phase === "Running");
  await kubectl(world.target, ["delete", "pods", "-l", selector, "--grace-period=0", "--force"]);
  await world.reason("trainingjob", "killed", "RunSucceeded");
  expect((await world.get("model", "killed")).status.versions).toHaveLength(1);
});

test("failures stay as they are: no second Job, no more pods than backoffLimit allows", async () => {
  const names = Object.keys(failures);
  const { items } = JSON.parse(await kubectl(world.target, ["get", "jobs", "-o", "json"]));
  for (const name of names) {
    const jobs = items.filter(({ metadata }: { metadata: { labels: Record<string, string> } }) => {
      return metadata.labels["lemnis.dev/trainingjob"] === name;
    });
    expect(jobs).toHaveLength(1);
    expect(jobs[0].status.failed).toBe(1);
  }
});

test("a manifest with a spelling mistake is rejected by the field's name", async () => {
  const wrong = training("misspelt", "pass", { spec: { backofLimit: 1 } });
  await expect(world.apply(wrong)).rejects.toThrow(/unknown field "(spec\.)?backofLimit"/);
  const list = training("list", "pass", { spec: { parameters: { layers: [1, 2] } } });
  await expect(world.apply(list)).rejects.toThrow(/parameters/);
});
