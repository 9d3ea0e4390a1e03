/** Text in cells of a terminal: what strangers wrote is made harmless, and measured as it is shown. */

/** Control characters, and those that turn or hide what stands around them; a terminal would obey them. */
const commands = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}|\ufe0f/u;
const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Commands are shown as their code point: \u{1b}. Line ends and tabs too, so a value stays in its line. */
export function harmless(text: string): string {
  return text.replace(commands, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Columns of a terminal that the text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += /^\p{M}/u.test(segment) ? 0 : wide.test(segment) ? 2 : 1;
  return width;
}

/** The text in at most so many columns, with … for what is left out. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let [clipped, used] = ["", 1];
  for (const { segment } of segmenter.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    clipped += segment;
  }
  return `${clipped}…`;
}

export type Ink = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";
const codes: Record<Ink, number> = { bold: 1, dim: 2, red: 31, yellow: 33, green: 32, cyan: 36 };

export interface Screen {
  /** In columns. */
  width: number;
  color: boolean;
}

export type Paint = (text: string, ink: Ink | undefined) => string;

export function painter({ color }: Screen): Paint {
  return (text, ink) => (color && ink && text ? `\u001b[${codes[ink]}m${text}\u001b[0m` : text);
}
