/** Which rows of a Dataset reach training and what is derived from it. */

interface Reference {
  name: string;
  split?: string | undefined;
}

/**
 * Why the reference can't be followed: the Dataset has no such split, or none that is read by default. Rows that are held
 * out are read only where the manifest names their split.
 */
export function lackingSplit({ name, split }: Reference, splits: Readonly<Record<string, number>>): string | undefined {
  const known = Object.keys(splits);
  if (split !== undefined)
    return (splits[split] ?? 0) > 0
      ? undefined
      : `Dataset ${name} has no rows in a split ${split}; it has ${known.join(", ")}`;
  const hasDefault = known.length === 0 || known.includes("train") || known.includes("all");
  return hasDefault
    ? undefined
    : `Dataset ${name} has the splits ${known.join(", ")}: name one of them in datasetRef.split`;
}
