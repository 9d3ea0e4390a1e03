const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const part = /([0-9]+)(ms|s|m|h|d)/g;

/** What a duration looks like, such as 90s, 1h30m or 7d. */
export const durationPattern = /^([0-9]+(ms|s|m|h|d))+$/;

/** A duration such as 1h30m, in milliseconds. Throws a SyntaxError on other text. */
export function parseDuration(text: string): number {
  if (!durationPattern.test(text)) throw new SyntaxError(`"${text}" is no duration: write it as 90s, 1h30m or 7d`);
  let sum = 0;
  for (const [, count, unit] of text.matchAll(part)) sum += Number(count) * units[unit as keyof typeof units];
  return sum;
}
