// The words of a source in the text around them.

import { documentText } from "./api.js";
import { t } from "./strings.js";

const kept = new Map(); // what was fetched, by span: a document's text does not change under its id
const KEPT_AT_MOST = 60;

export const wordsOf = (source) => source.quote ?? source.text ?? "";

/** Text whose long lines were broken by a page's width, flowing again; short lines, lists and tables keep their breaks. */
export const flowing = (text) =>
  text.replace(/^([^\n|]{40,})\n(?=[^\n\s\-•*|#>\d])/gm, (_, line) => line + (/[\u2e80-\uffef]$/.test(line) ? "" : " "));

/** {parts: [before, words, after], note}; note says why where the words could not be found in the document. */
export async function surroundings(source, around) {
  const key = `${source.document_id} ${source.char_start} ${source.char_end} ${around}`;
  if (!kept.has(key)) {
    const found = await fetched(source, around);
    if (found.passing) return found;
    if (kept.size >= KEPT_AT_MOST) kept.delete(kept.keys().next().value);
    kept.set(key, found);
  }
  return kept.get(key);
}

async function fetched(source, around) {
  const words = wordsOf(source);
  const start = Math.max(0, source.char_start - around);
  const end = source.char_end + around;
  let text;
  try {
    text = Array.from(await documentText(source.document_id, start, end)); // offsets count code points, not UTF-16 units
  } catch (error) {
    return { parts: ["", words, ""], note: error.status === 404 ? t("source.gone") : error.explain(), gone: error.status === 404, passing: true };
  }
  const from = source.char_start - start;
  const to = source.char_end - start;
  if (text.slice(from, to).join("") !== words) return { parts: ["", words, ""], note: t("source.changed") };
  let before = text.slice(0, from).join("");
  let after = text.slice(to).join("");
  if (start > 0) before = `…${before.replace(/^[^\s\u2e80-\uffef]{1,30}\s/, "")}`; // do not begin inside a word
  if (text.length === end - start) after = `${after.replace(/\s[^\s\u2e80-\uffef]{1,30}$/, "")}…`;
  return { parts: [before, words, after].map(flowing), note: null };
}
