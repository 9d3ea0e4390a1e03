/** What a Dataset tells while one look follows another, which may be asked for before the one before it has ended. */
import { describe, expect, test } from "vitest";
import { DatasetSimulation } from "../../../test/builders/dataset-simulation.ts";
import { derivedDataset, observedDataset } from "../../../test/builders/datasets.ts";
import { dataset, start } from "../../../test/builders/kinds.ts";
import { datasetRecord } from "../../../test/builders/records.ts";
import { settings } from "../../../test/builders/settings.ts";
import {
  complete,
  completeAt,
  failed,
  failedAt,
  made,
  pod,
  running,
  told,
  waiting,
} from "../../../test/builders/workloads.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { isFinished, type Job, type Pod } from "../children/types.ts";
import { planDataset } from "./plan.ts";

const secondsOf = (date: Date) => `${date.toISOString().slice(0, 19)}Z`;
const minutes = (count: number) => new Date(start.getTime() + count * 60_000);
const expectations = [{ name: "enough", rows: { min: 10 } }];
const unreachable = told("snapshot", "SourceUnreachable", "no route to host", 1);
const unexpected = told("snapshot", "ExpectationFailed", "enough: 3 rows are fewer than 10");

/** Each look takes seven minutes, and one is asked for every five. */
class SlowSource extends DatasetSimulation {
  failure = unreachable;
  readonly #begun = new Map<string, number>();

  protected override get pods(): Map<string, Pod[]> {
    return new Map(this.jobs.map(({ metadata: { name } }) => [name, [pod(name, this.failure)]]));
  }

  minute(end: "complete" | "failed"): void {
    this.pass(1);
    for (const job of this.jobs) {
      const { name, uid = "" } = job.metadata;
      const begun = this.#begun.get(uid + name) ?? this.now.getTime();
      this.#begun.set(uid + name, begun);
      if (isFinished(job) || this.now.getTime() - begun < 7 * 60_000) continue;
      const status = (end === "complete" ? completeAt : failedAt)(secondsOf(this.now));
      this.children.objects.set(`Job/${name}`, { ...job, status } as Job);
    }
    this.settle();
  }
}

function slowSource(versions: number): SlowSource {
  const world = new SlowSource(dataset({ schedule: "*/5 * * * *", expectations }));
  world.versions = versions;
  world.settle();
  return world;
}
const conditionOf = ({ status }: Dataset, type: string) => status?.conditions?.find((given) => given.type === type);

describe("looks that take longer than the time between two of them", () => {
  test("are told as they end well", () => {
    const world = slowSource(0);
    for (let minute = 1; minute <= 120; minute++) {
      world.versions = minute > 7 ? 1 : 0;
      world.minute("complete");
      if (minute < 10) continue;
      const { lastChecked = "", look } = world.object.status ?? {};
      expect(world.now.getTime() - new Date(lastChecked).getTime()).toBeLessThan(15 * 60_000);
      expect(look).toBeDefined();
      expect(conditionOf(world.object, "Ready")).toMatchObject({
        ...{ status: "True", lastTransitionTime: secondsOf(minutes(8)) },
      });
    }
  });

  test.each([
    ["SourceUnreachable", unreachable, "True"],
    ["ExpectationFailed", unexpected, "False"],
  ])("and fail are told without a break: %s", (reason, failure, asExpected) => {
    const world = slowSource(1);
    world.failure = failure;
    for (let minute = 1; minute <= 120; minute++) {
      world.minute("failed");
      if (minute < 10) continue;
      expect(conditionOf(world.object, "Ready")).toMatchObject({
        ...{ status: "False", reason, message: expect.stringContaining("version 1 stays current") },
        lastTransitionTime: secondsOf(minutes(8)),
      });
      expect(conditionOf(world.object, "ExpectationsMet")?.status).toBe(asExpected);
    }
  });

  test("are one at a time, and leave one Job behind", () => {
    const world = slowSource(0);
    for (let minute = 1; minute <= 60; minute++) {
      world.minute(minute % 3 === 0 ? "complete" : "failed");
      expect(world.jobs.filter((job) => !isFinished(job)).length).toBeLessThanOrEqual(1);
      expect(world.jobs.length).toBeLessThanOrEqual(2);
    }
  });
});

interface Situation {
  jobs: Job[];
  pods?: Record<string, Pod[]>;
}
function plan(subject: Dataset, { jobs, pods = {} }: Situation) {
  const observed = { dataset: subject, jobs, pods: new Map(Object.entries(pods)), record: { found: datasetRecord(1) } };
  return planDataset(observedDataset(observed), settings, start);
}
const refreshed = (value: string, status?: Dataset["status"]): Dataset => {
  const subject = dataset({}, status);
  return { ...subject, metadata: { ...subject.metadata, annotations: { "lemnis.dev/refresh": value } } };
};
/** The Job of the look that this value of the annotation asks for. */
function jobOf(value: string, status: Job["status"] = running): Job {
  const [child] = plan(refreshed(value), { jobs: [] }).apply;
  return made(child?.object as Job, status);
}

describe("a look that has ended while another is asked for", () => {
  test("stays until the other has ended, and no longer", () => {
    const [one, two] = [jobOf("1", failed), jobOf("2")];
    const begun = plan(refreshed("2"), { jobs: [one] });
    expect(begun).toMatchObject({ apply: [{ object: { metadata: { name: two.metadata.name } } }], delete: [] });
    expect(plan(refreshed("2"), { jobs: [one, two] })).toMatchObject({ apply: [], delete: [] });
    for (const status of [complete, failed])
      expect(plan(refreshed("2"), { jobs: [one, { ...two, status }] }).delete).toMatchObject([
        { name: one.metadata.name },
      ]);
  });

  test("and ended well stays until the status knows when", () => {
    const [one, two] = [jobOf("1", complete), jobOf("2", failedAt(secondsOf(minutes(5))))];
    const { status, delete: kept } = plan(refreshed("2"), { jobs: [one, two] });
    expect(kept).toEqual([]);
    expect(status).toMatchObject({ lastChecked: complete.completionTime });
    expect(plan(refreshed("2", status), { jobs: [one, two] }).delete).toMatchObject([{ name: one.metadata.name }]);
  });

  test("says nothing of a source that is another now", () => {
    const one = jobOf("1", failed);
    const other = dataset({ source: { uri: "http://host/other.csv" } });
    const planned = plan(other, { jobs: [one] });
    expect(planned.delete).toMatchObject([{ name: one.metadata.name }]);
    expect(planned.status.conditions?.[0]).toMatchObject({ status: "True", reason: "Snapshotting" });
  });

  test("failed, and is being made again, does not hide what keeps the other from starting", () => {
    const [one, two] = [jobOf("1", failed), jobOf("2")];
    const pods = { [two.metadata.name]: [pod(two.metadata.name, waiting("snapshot", "ImagePullBackOff", "no image"))] };
    const reasonOf = (subject: Dataset) => plan(subject, { jobs: [one, two], pods }).status.conditions?.[0]?.reason;
    expect(reasonOf(refreshed("2"))).toBe("ImagePullFailed");
    // Nor that of one that is under way when yet another is asked for.
    expect(reasonOf(refreshed("3"))).toBe("ImagePullFailed");
  });
});

test("a failed look stays told while the Dataset waits for its inputs", () => {
  const expected = {
    ...derivedDataset("wine", ["raw"]),
    spec: { ...derivedDataset("wine", ["raw"]).spec, expectations },
  };
  const world = new SlowSource(expected);
  const seen: unknown[] = [];
  const see = () => seen.push(["Ready", "ExpectationsMet"].map((type) => conditionOf(world.object, type)));
  world.failure = told("derive", "ExpectationFailed", "enough: 3 rows are fewer than 10");
  world.versions = 1;
  world.raw = 1;
  for (let minute = 0; minute < 10; minute++) world.minute("failed");
  see();
  world.raw = 0;
  world.minute("failed");
  see();
  world.raw = 2;
  world.minute("failed");
  see();
  const since = { status: "False", lastTransitionTime: secondsOf(minutes(9)) };
  expect(seen).toMatchObject([
    [{ ...since, reason: "ExpectationFailed" }, since],
    [
      { ...since, reason: "InputNotReady" },
      { ...since, reason: "ExpectationFailed" },
    ],
    [{ ...since, reason: "ExpectationFailed" }, since],
  ]);
});

test("a failed look leaves the Dataset not ready until one ends well, though its Job is gone and made again", () => {
  const readyAfter = (jobs: Job[], status?: Dataset["status"]) =>
    plan(refreshed("1", status), { jobs }).status.conditions?.[0];
  const failing = plan(refreshed("1"), { jobs: [jobOf("1", failed)] }).status;
  for (const jobs of [[], [jobOf("1")]])
    expect(readyAfter(jobs, failing)).toMatchObject({ status: "False", reason: "Snapshotting" });
  expect(readyAfter([jobOf("1", complete)], failing)).toMatchObject({ status: "True", reason: "VersionCurrent" });
  expect(readyAfter([jobOf("1")])).toMatchObject({ status: "True", reason: "Snapshotting" });
});
