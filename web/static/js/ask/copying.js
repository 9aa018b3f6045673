// An answer as text to take elsewhere, with its references.

import { originalUrl } from "../base/api.js";
import { placeOf } from "../base/places.js";
import { t } from "../base/strings.js";

const absolute = (path) => new URL(path, location.href).href;
const oneLine = (text) => text.replace(/\s+/g, " ").trim();

/** As Markdown: the question as a heading, the answer as it was written, its references as a list. */
export function asMarkdown({ question, answer }) {
  const references = answer.citations.map((citation) => {
    const address = absolute(originalUrl(citation.document_id, citation.filename, citation.page));
    const name = placeOf(citation).replace(/[[\]\\*_`<>]/g, "\\$&");
    return `- [${citation.n}] [${name}](${address}): “${oneLine(citation.quote ?? "")}”`;
  });
  return [`## ${oneLine(question)}`, answer.answer, references.length ? `**${t("copy.references")}**\n\n${references.join("\n")}` : ""].filter(Boolean).join("\n\n");
}

/** As plain text: what the page shows, without verdicts. */
export function asText({ question, answer, text }) {
  const shown = text.cloneNode(true);
  for (const node of shown.querySelectorAll(".verdict")) node.remove();
  for (const node of shown.querySelectorAll(".chip")) node.replaceWith(`[${node.textContent}]`);
  for (const node of shown.querySelectorAll("br")) node.replaceWith("\n");
  for (const node of shown.querySelectorAll("p, li, h3, h4, h5, h6, tr, pre")) node.append("\n");
  const references = answer.citations.map((citation) => `[${citation.n}] ${placeOf(citation)}: “${oneLine(citation.quote ?? "")}”`);
  return [oneLine(question), shown.textContent.trim(), references.length ? `${t("copy.references")}\n${references.join("\n")}` : ""].filter(Boolean).join("\n\n");
}
