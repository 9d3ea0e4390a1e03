/** Sensitive columns: no value of them is shown, whoever made the profile. Counts of rows stay. */
import type { ColumnProfile, DatasetVersionDetail } from "../store/api.ts";

export function withholdValues({ name, type, count, nulls, distinct }: ColumnProfile): ColumnProfile {
  return { name, type, count, nulls, distinct };
}

export function withholdSensitive(version: DatasetVersionDetail): DatasetVersionDetail {
  const sensitive = sensitiveNames(version);
  const profile = version.profile.map((profile) => (sensitive.has(profile.name) ? withholdValues(profile) : profile));
  return { ...version, profile };
}

export function sensitiveNames({ columns }: DatasetVersionDetail): ReadonlySet<string> {
  return new Set(columns.filter(({ sensitive }) => sensitive === true).map(({ name }) => name));
}
