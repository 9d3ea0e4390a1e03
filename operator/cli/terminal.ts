import type { Screen } from "../profile/terminal/text.ts";

/** Where a command writes. */
export interface Terminal {
  screen: Screen;
  /** What was asked for: standard output. */
  write(text: string): void;
  /** A line about it: standard error. */
  tell(line: string): void;
}
