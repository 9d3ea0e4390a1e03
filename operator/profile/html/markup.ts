/** HTML that escapes what is put into it. It is well-formed XML too, so that a strict parser can check it. */

/** Text that is HTML already. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type Part = Markup | string | number | false | undefined | readonly Part[];

/** html`<p title="${anything}">${anything}</p>`: values are escaped, for quoted attributes too; false and undefined are nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, string, index) => text + render(parts[index - 1]) + string));
}

function render(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(render).join("");
  return escapeText(String(part));
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
/** No document may hold these, not even escaped: control characters, half pairs, non-characters. */
const forbidden = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu;
/** Turns that a text makes end with it; these would turn what follows, or hide. */
const turning = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

export function escapeText(text: string): string {
  return text
    .replace(/[\n\t\r]/g, (character) => ({ "\n": "⏎", "\t": "⇥" })[character] ?? "␍")
    .replace(forbidden, "�")
    .replace(turning, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
