// The state of a document in words, with a bar while it moves and the reason where it failed.

import { reason } from "../base/api.js";
import { el } from "../base/dom.js";
import { formatNumber, language, t } from "../base/strings.js";

export const SETTLED = new Set(["indexed", "failed", "cancelled", "trashed", "unchanged"]);

/** A warning in the page's language: the reader's own sentence in English, in others the notice that the server made of it. */
const worded = (warning, notice) => (language === "en" || !notice ? warning : phrase(notice));

function phrase({ key, values }) {
  const filled = Object.entries(values).map(([place, value]) => [place, Array.isArray(value) ? value.map((part) => (part.key ? phrase(part) : part)).join("") : value]);
  return t(`warning.${key}`, Object.fromEntries(filled));
}

/** Whether a document that failed can be opened with a password: only a PDF can. */
export const opensWithPassword = ({ error, media_type: type }) => ["encrypted", "wrong_password"].includes(error?.code) && type === "application/pdf";

/** Whether it is locked in a way that no password opens here, so that only another copy helps. */
export const needsOtherCopy = (document) => document.error?.code === "encrypted" && !opensWithPassword(document);

export function stateNodes(document) {
  const { status, progress, error, warnings = [], notices = [] } = document;
  const nodes = [el("span", { class: `state ${status}` }, t(`status.${status}`))];
  if (!SETTLED.has(status) && progress?.total) {
    nodes.push(" ", el("span", { class: "small" }, `${formatNumber(progress.done)} / ${formatNumber(progress.total)}`));
    nodes.push(el("progress", { max: progress.total, value: progress.done, "aria-label": t(`status.${status}`) }));
  }
  if (error) nodes.push(el("span", { class: "small block error-text" }, reason(needsOtherCopy(document) ? { ...error, code: "protected" } : error)));
  for (const [index, warning] of warnings.entries()) nodes.push(el("span", { class: "small block" }, worded(warning, notices[index])));
  return nodes;
}
