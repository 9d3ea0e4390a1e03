/** The kinds' CEL rules: how a value is made to keep each, and how to break it. */
import { datasets } from "./arbitrary-rules-datasets.ts";
import { expectations } from "./arbitrary-rules-expectations.ts";
import { locations } from "./arbitrary-rules-locations.ts";
import { gates, services } from "./arbitrary-rules-models.ts";
import { optionalRules } from "./arbitrary-rules-optional.ts";
import type { Json } from "./arbitrary-schema.ts";

const rules = [...locations, ...datasets, ...expectations, ...gates, ...services, ...optionalRules];

/** The rule with this message. Throws on one that is not here, so that a new rule is met by the arbitraries too. */
export function ruleOf(message: string): {
  keep: (value: Json, coin: boolean) => Json;
  broken: (value: Json) => Json[];
} {
  const found = rules.find(([pattern]) => pattern.test(message));
  if (!found) throw new Error(`arbitrary-rules.ts does not know the rule "${message}"`);
  return found[1] as ReturnType<typeof ruleOf>;
}
