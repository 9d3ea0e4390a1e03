/** All that is done to the operator. */
import type { Row } from "../campaign.ts";
import { answers } from "./answers.ts";
import { crashes } from "./crashes.ts";
import { generatedStories } from "./generated.ts";
import { servers } from "./servers.ts";
import { stores } from "./store.ts";
import { upgrades } from "./upgrade.ts";
import { users } from "./users.ts";
import { watches } from "./watches.ts";

export const rows: readonly Row[] = [
  ...crashes,
  ...watches,
  ...answers,
  ...servers,
  ...users,
  ...upgrades,
  ...stores,
  ...generatedStories,
];
