/** How far a reading has come, in words. */
import type { Progress } from "../../store/api.ts";

/** Such as "Reading 1.2 GiB of 3.0 GiB, 12 million rows". */
export function progressText({ phase, bytes, totalBytes, rows }: Progress): string {
  const size = totalBytes === undefined ? sizeText(bytes) : `${sizeText(bytes)} of ${sizeText(totalBytes)}`;
  return `${phase} ${size}${rows === undefined ? "" : `, ${countText(rows)} rows`}`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

function sizeText(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

const scales: [number, string][] = [
  [1e9, "billion"],
  [1e6, "million"],
];

function countText(count: number): string {
  const [scale, name] = scales.find(([least]) => count >= least) ?? [1, ""];
  if (scale === 1) return count.toLocaleString("en-US");
  const value = count / scale;
  return `${value < 10 ? Math.floor(value * 10) / 10 : Math.floor(value)} ${name}`;
}
