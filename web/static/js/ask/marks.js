// What stands in an answer beside its words: chips that cite, and verdicts.

import { el } from "../base/dom.js";
import { placeOf } from "../base/places.js";
import { t } from "../base/strings.js";

export const VERDICTS = { verified: "✓", consistent: "≈", misattributed: "⇄", unsupported: "✗", uncited: "○" };

/** The source that a chip leads to: {turn, n}. */
export const chips = new WeakMap();

export function chip(turn, citation) {
  const label = t("source.chip", { n: citation.n, place: placeOf(citation) });
  const node = el("button", { type: "button", class: "chip", "aria-label": label, "data-n": citation.n }, String(citation.n));
  chips.set(node, { turn, n: citation.n });
  return node;
}

/** A verdict in words; of a verified sentence also whether its words or a model's judgement say so. */
export function verdictMark({ verdict, checked_by: by }) {
  if (!VERDICTS[verdict]) return "";
  const judged = verdict === "verified" && by === "model";
  const words = judged ? t("verdict.verified.model") : t(`verdict.${verdict}`);
  const about = judged ? t("verdict.verified.model.about") : t(`verdict.${verdict}.about`);
  const mark = el("span", { class: `verdict ${verdict}`, title: about });
  mark.append(el("span", { "aria-hidden": "true" }, VERDICTS[verdict]), "\u00a0", words);
  return mark;
}

/** The verdicts with what they mean, for the help sheet. */
export const verdictList = () => {
  const all = Object.keys(VERDICTS).map((verdict) => [{ verdict }, t(`verdict.${verdict}.about`)]);
  all.splice(1, 0, [{ verdict: "verified", checked_by: "model" }, t("verdict.verified.model.about")]);
  return all.map(([node, about]) => el("div", {}, el("dt", {}, verdictMark(node)), el("dd", {}, about)));
};
