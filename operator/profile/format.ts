/** Numbers for people. */
import type { ColumnType } from "../store/api.ts";

/** Four significant digits; thousands are grouped, and what is very large or small has an exponent. */
export function formatNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value === 0 ? 0 : value);
  const size = Math.abs(value);
  if (size >= 1e12 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  if (size >= 1000) return value.toLocaleString("en-US", { maximumFractionDigits: size < 1e5 ? 1 : 0 });
  return String(Number(value.toPrecision(4)));
}

/** With its sign: +0.2. */
export function formatChange(value: number): string {
  return value > 0 ? `+${formatNumber(value)}` : formatNumber(value);
}

/** Of a share: 12 %. What is neither nothing nor all is never shown as either. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return "<0.1%";
  if (percent > 99.9 && percent < 100) return ">99.9%";
  return `${Number(percent.toFixed(percent < 10 ? 1 : 0))}%`;
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = Math.min(bytes > 0 ? Math.floor(Math.log2(bytes) / 10) : 0, units.length - 1);
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}

/** "2026-03-01 10:06 UTC" */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** An edge of a histogram; of times, which are seconds since 1970, as precise as the range is narrow. */
export function formatEdge(value: number, type: ColumnType, range: number): string {
  if (type !== "Date" && type !== "Timestamp") return formatNumber(value);
  const time = new Date(value * 1000);
  if (Number.isNaN(time.getTime())) return formatNumber(value);
  return time.toISOString().slice(0, type === "Date" || range > 3 * 86_400 ? 10 : 19);
}

/** "5 → 6"; one of them alone where both read the same, or the other is absent. */
export function formatPair(before: string | undefined, after: string | undefined): string {
  if (before === undefined || after === undefined || before === after) return after ?? before ?? "";
  return `${before} → ${after}`;
}

export function plural(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}
