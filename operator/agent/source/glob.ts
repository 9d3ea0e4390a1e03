/** Keys by pattern: `*` and `?` stay within a folder, `**` crosses folders, and `**` with a slash behind it may be no folder at all. */
export interface Glob {
  /** What every match begins with. */
  prefix: string;
  matches: (key: string) => boolean;
}

/** Undefined for a key without `*` and `?`. */
export function parseGlob(key: string): Glob | undefined {
  const first = key.search(/[*?]/);
  if (first < 0) return undefined;
  const steps = compile(key);
  return { prefix: key.slice(0, first), matches: (candidate) => matches(steps, candidate) };
}

/** How one step of a pattern takes a character: `stay` and `next` say whether the step, or the one behind it, goes on from there. */
interface Step {
  stay: (char: string) => boolean;
  next: (char: string) => boolean;
  /** How many steps may be left out from here: none where it is 0. */
  skip: number;
}

const never = () => false;
const inFolder = (char: string) => char !== "/";

function compile(pattern: string): Step[] {
  return (pattern.match(/\*\*\/|\*+|[^*]/gs) ?? []).flatMap((token): Step[] => {
    if (token === "**/") {
      const folders = { stay: () => true, next: (char: string) => char === "/", skip: 0 };
      return [{ stay: never, next: never, skip: 2 }, folders];
    }
    if (token.startsWith("**")) return [{ stay: () => true, next: never, skip: 1 }];
    if (token === "*") return [{ stay: inFolder, next: never, skip: 1 }];
    return [{ stay: never, next: token === "?" ? inFolder : (char) => char === token, skip: 0 }];
  });
}

/** Follows all steps at once: its time is the product of both lengths, whatever the pattern. */
function matches(steps: readonly Step[], text: string): boolean {
  let at = closure(steps, new Set([0]));
  for (const char of text) {
    const after = new Set<number>();
    for (const index of at) {
      const step = steps[index];
      if (step?.stay(char)) after.add(index);
      if (step?.next(char)) after.add(index + 1);
    }
    at = closure(steps, after);
  }
  return at.has(steps.length);
}

function closure(steps: readonly Step[], at: Set<number>): Set<number> {
  // A set that grows while it is walked is walked to its new end.
  for (const index of at) {
    for (let skipped = 1; skipped <= (steps[index]?.skip ?? 0); skipped++) at.add(index + skipped);
  }
  return at;
}
