/** Prometheus metrics of Datasets: kept as their objects change, and gone with them. */
import { Cron } from "croner";
import { Gauge, type Registry } from "prom-client";
import type { Dataset } from "./api/v1alpha1/dataset.ts";

type Label = "namespace" | "dataset" | "condition" | "expectation";

/** What is said of a Dataset, as name → value; undefined is not said. */
function valuesOf({ spec, status = {} }: Dataset): Record<string, number | undefined> {
  const { version, rows, bytes, lastChecked, newest } = status;
  const previous = (status.versions ?? [])
    .filter((other) => version !== undefined && other.version < version)
    .sort((a, b) => b.version - a.version)[0];
  return {
    version,
    rows,
    previousRows: previous?.rows,
    bytes,
    lastChecked: secondsOf(lastChecked),
    newest: secondsOf(newest),
    checkInterval: spec.schedule ? intervalOf(spec.schedule) : undefined,
  };
}

export class DatasetMetrics {
  readonly #gauges: Record<string, Gauge<Label>>;
  readonly #conditions: Gauge<Label>;
  readonly #expectations: Gauge<Label>;
  /** The labels of what is said, by gauge, so that it can be taken back. */
  readonly #told = new Map<string, (() => void)[]>();

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames: Label[] = ["namespace", "dataset"];
    this.#gauges = {
      version: new Gauge({
        name: "lemnis_dataset_version",
        ...{ help: "The number of the current version.", labelNames, registers },
      }),
      rows: new Gauge({
        name: "lemnis_dataset_rows",
        ...{ help: "Rows of the current version.", labelNames, registers },
      }),
      previousRows: new Gauge({
        name: "lemnis_dataset_previous_rows",
        ...{ help: "Rows of the version before the current one.", labelNames, registers },
      }),
      bytes: new Gauge({
        name: "lemnis_dataset_bytes",
        ...{ help: "Bytes of the current version's files.", labelNames, registers },
      }),
      lastChecked: new Gauge({
        name: "lemnis_dataset_last_checked_timestamp_seconds",
        ...{ help: "When the source was last read to the end.", labelNames, registers },
      }),
      newest: new Gauge({
        name: "lemnis_dataset_newest_timestamp_seconds",
        ...{ help: "The newest value of the column with the role Timestamp.", labelNames, registers },
      }),
      checkInterval: new Gauge({
        name: "lemnis_dataset_check_interval_seconds",
        ...{ help: "The time between two looks that the schedule asks for.", labelNames, registers },
      }),
    };
    this.#conditions = new Gauge({
      name: "lemnis_dataset_condition",
      help: "1 while the condition (Ready, ExpectationsMet, Fresh, FeaturesServed) is true, 0 while it is not.",
      labelNames: [...labelNames, "condition"],
      registers,
    });
    this.#expectations = new Gauge({
      name: "lemnis_dataset_expectation_passed",
      help: "1 where the current version keeps the expectation, 0 where it does not.",
      labelNames: [...labelNames, "expectation"],
      registers,
    });
  }

  /** The object as it is now, or that it is gone. */
  update(dataset: Dataset, isGone: boolean): void {
    const { name, namespace = "" } = dataset.metadata;
    const key = `${namespace}/${name}`;
    for (const takeBack of this.#told.get(key) ?? []) takeBack();
    this.#told.delete(key);
    if (isGone) return;
    const told: (() => void)[] = [];
    const tell = (gauge: Gauge<Label>, value: number | undefined, more: Partial<Record<Label, string>> = {}) => {
      if (value === undefined) return;
      const labels = { namespace, dataset: name, ...more };
      gauge.set(labels, value);
      told.push(() => gauge.remove(labels));
    };
    for (const [what, value] of Object.entries(valuesOf(dataset))) tell(this.#gauges[what] as Gauge<Label>, value);
    for (const { type, status } of dataset.status?.conditions ?? []) {
      if (type !== "Reconciling" && type !== "Stalled")
        tell(this.#conditions, status === "True" ? 1 : 0, { condition: type });
    }
    for (const { name: expectation, passed } of dataset.status?.expectations ?? [])
      tell(this.#expectations, passed ? 1 : 0, { expectation });
    this.#told.set(key, told);
  }
}

function secondsOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : new Date(time).getTime() / 1000;
}

const intervals = new Map<string, number | undefined>();

/** Between the next two times; schedules are few, and asking for their times is slow. */
function intervalOf(schedule: string): number | undefined {
  if (!intervals.has(schedule)) {
    if (intervals.size > 1_000) intervals.clear();
    intervals.set(schedule, nextInterval(schedule));
  }
  return intervals.get(schedule);
}

function nextInterval(schedule: string): number | undefined {
  try {
    const [first, second] = new Cron(schedule, { timezone: "UTC", paused: true }).nextRuns(2);
    return first && second ? (second.getTime() - first.getTime()) / 1000 : undefined;
  } catch {
    // The Dataset's condition says that it is no schedule.
    return undefined;
  }
}
