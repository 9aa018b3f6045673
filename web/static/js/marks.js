// What stands in an answer beside its words: chips that cite, verdicts, and the server's tree of nodes.

import { el } from "./dom.js";
import { t } from "./strings.js";

export const VERDICTS = { verified: "✓", misattributed: "⇄", unsupported: "?", uncited: "○" };
const TAGS = new Set("p ul ol li blockquote strong table thead tbody tr th td h3 h4 h5 h6 span br hr code pre".split(" "));

/** The source that a chip leads to: {turn, n}. */
export const chips = new WeakMap();

/** "p. 3" or "p. 3–4"; nothing for a source without pages. */
export function pageOf({ page, page_end: end }) {
  if (!page) return "";
  return end && end !== page ? t("source.pages", { from: page, to: end }) : t("source.page", { page });
}

export const placeOf = (source) => [source.filename, pageOf(source)].filter(Boolean).join(", ");

export function chip(turn, citation) {
  const label = t("source.chip", { n: citation.n, place: placeOf(citation) });
  const node = el("button", { type: "button", class: "chip", "aria-label": label, "data-n": citation.n }, String(citation.n));
  chips.set(node, { turn, n: citation.n });
  return node;
}

export function verdictMark(verdict) {
  if (!VERDICTS[verdict]) return "";
  const mark = el("span", { class: `verdict ${verdict}`, title: t(`verdict.${verdict}.about`) });
  mark.append(el("span", { "aria-hidden": "true" }, VERDICTS[verdict]), "\u00a0", t(`verdict.${verdict}`));
  return mark;
}

/** Elements of the server's tree; cite(n) makes a chip or a text. Tags that are not known become their text. */
export function build(nodes, cite) {
  const built = [];
  let tail = null; // the marks at the end of a sentence stay on one line
  for (const node of nodes) {
    if (node.cite === undefined && node.verdict === undefined) {
      built.push(typeof node === "string" ? node : element(node, cite));
      tail = null;
      continue;
    }
    if (!tail) built.push((tail = el("span", { class: "tail" })));
    tail.append(node.cite === undefined ? verdictMark(node.verdict) : cite(node.cite));
  }
  return built;
}

function element(node, cite) {
  const made = el(TAGS.has(node.tag) ? node.tag : "span", { start: node.start }, build(node.children, cite));
  return node.tag === "table" ? el("div", { class: "table-frame", tabindex: "0" }, made) : made;
}
