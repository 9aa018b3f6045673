// Where a source stands, in words: its file and its pages.

import { t } from "./strings.js";

/** "p. 3" or "p. 3–4"; nothing for a source without pages. */
export function pageOf({ page, page_end: end }) {
  if (!page) return "";
  return end && end !== page ? t("source.pages", { from: page, to: end }) : t("source.page", { page });
}

export const placeOf = (source) => [source.filename, pageOf(source)].filter(Boolean).join(", ");
