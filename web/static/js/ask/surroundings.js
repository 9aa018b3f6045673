// The words of a source in the text around them, as the document means it: headings, lists, tables, code.

import { getExcerpt } from "../base/api.js";
import { t } from "../base/strings.js";

const kept = new Map(); // what was fetched, by span: a document's text does not change under its id
const KEPT_AT_MOST = 60;

export const wordsOf = (source) => source.quote ?? source.text ?? "";

/** The words of a source on one line, without the signs of its markup: for a glance. */
export function glanceOf(source) {
  const words = wordsOf(source);
  const marked = /\.(md|markdown|rst)$/i.test(source.filename ?? "");
  const bare = marked ? words.replace(/^[ \t]*(#{1,6} |>|```.*$|\|?[ :|-]{3,}$)/gm, "").replace(/\*\*|`+/g, "").replace(/\[([^\]]+)\]\([^)\s]*\)/g, "$1") : words;
  return bare.replace(/^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$/gm, "").replace(/[ \t]*\|[ \t]*/g, " · ").replace(/\s+/g, " ").trim();
}

/** {nodes, note}; note says why where the words could not be found in the document, and nodes are the words alone. */
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
  const alone = (note, passing = false) => ({ nodes: [{ tag: "p", children: [{ tag: "mark", children: [words] }] }], note, passing });
  const { char_start: start, char_end: end } = source;
  let found;
  try {
    found = await getExcerpt(source.document_id, { start: Math.max(0, start - around), end: end + around, highlight: `${start}-${end}` });
  } catch (error) {
    // a span that the text does not have any more is refused
    return error.status === 400 ? alone(t("source.changed")) : alone(error.status === 404 ? t("source.gone") : error.explain(), true);
  }
  if (found.marked !== words) return alone(t("source.changed"));
  const dots = (cut) => (cut ? [{ tag: "p", children: ["…"] }] : []);
  return { nodes: [...dots(found.start > 0), ...found.nodes, ...dots(found.end < found.characters)], note: null };
}
