// The state of a document in words, with a bar while it moves and the reason where it failed.

import { reason } from "./api.js";
import { el } from "./dom.js";
import { formatNumber, t } from "./strings.js";

export const SETTLED = new Set(["indexed", "failed", "cancelled", "trashed", "unchanged"]);

export function stateNodes({ status, progress, error, warnings = [] }) {
  const nodes = [el("span", { class: `state ${status}` }, t(`status.${status}`))];
  if (!SETTLED.has(status) && progress?.total) {
    nodes.push(" ", el("span", { class: "small" }, `${formatNumber(progress.done)} / ${formatNumber(progress.total)}`));
    nodes.push(el("progress", { max: progress.total, value: progress.done, "aria-label": t(`status.${status}`) }));
  }
  if (error) nodes.push(el("span", { class: "small block error-text" }, reason(error)));
  for (const warning of warnings) nodes.push(el("span", { class: "small block" }, warning));
  return nodes;
}
