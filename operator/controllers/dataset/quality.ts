/** What is to be said of a Dataset's data itself: whether it is as expected, and whether it is fresh. */
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { parseDuration } from "../../api/v1alpha1/duration.ts";
import type { PlannedEvent } from "../../runtime/plan.ts";
import type { DatasetVersion } from "../../store/api.ts";
import type { Trouble } from "../children/failure.ts";
import type { DomainCondition } from "../verdict.ts";

/** Of the current version, or of the data that was refused after it. */
export function expectationsCondition(
  { spec }: Dataset,
  current: DatasetVersion | undefined,
  failure: Trouble | undefined,
): DomainCondition[] {
  if (!spec.expectations) return [];
  const type = "ExpectationsMet";
  const { reason } = failure ?? {};
  if (failure && reason === "ExpectationFailed") return [{ type, status: false, reason, message: failure.message }];
  if (!current) return [];
  const unmet = unmetExpectations(current);
  if (unmet.length > 0) return [{ type, status: false, reason: "ExpectationWarning", message: unmet.join("; ") }];
  const message = `version ${current.version} is as expected`;
  return [{ type, status: true, reason: "ExpectationsMet", message }];
}

/** Those with onViolation: Warn: the others let no version be made. */
export function unmetExpectations({ expectations = [] }: DatasetVersion): string[] {
  return expectations.filter(({ passed }) => !passed).map(({ name, message }) => `${name}: ${message}`);
}

export interface Freshness {
  conditions: DomainCondition[];
  events: PlannedEvent[];
  /** When the data will be too old, if it is not yet. */
  until: Date | undefined;
}

/** Data grows old without being read again: the version stays, and the condition changes when its time has come. */
export function freshnessOf({ spec, status }: Dataset, current: DatasetVersion | undefined, now: Date): Freshness {
  const ages = (spec.expectations ?? []).flatMap(({ freshness }) => freshness?.maxAge ?? []);
  const [maxAge] = ages.sort((a, b) => parseDuration(a) - parseDuration(b));
  if (maxAge === undefined || !current) return { conditions: [], events: [], until: undefined };
  const type = "Fresh";
  const { newest } = current;
  const until = newest ? new Date(newest).getTime() + parseDuration(maxAge) : Number.NEGATIVE_INFINITY;
  if (until > now.getTime()) {
    const message = `the newest row is of ${newest}, at most ${maxAge} old`;
    const due = until < 8.64e15 ? new Date(until) : undefined;
    return { conditions: [{ type, status: true, reason: "Fresh", message }], events: [], until: due };
  }
  const hidden = current.columns.find(({ role, sensitive }) => role === "Timestamp" && sensitive);
  const none = hidden
    ? `the column ${hidden.name} is sensitive: how fresh the rows are is not told`
    : "no row has a time";
  const message = newest ? `the newest row is of ${newest}, more than ${maxAge} old` : none;
  const reason = "DataStale";
  const known = status?.conditions?.some((condition) => condition.type === type && condition.reason === reason);
  return {
    conditions: [{ type, status: false, reason, message }],
    events: known ? [] : [{ type: "Warning", reason, message }],
    until: undefined,
  };
}
