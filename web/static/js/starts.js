// What an empty conversation offers about a library of one's own: what was read last, and questions that its headings suggest.

import { getOutline, listDocuments } from "./api.js";
import { $, el } from "./dom.js";
import { language, t } from "./strings.js";

const LATEST = 3;
const TITLE = /^(?=.{3,60}$)(?!.*[|{}<>`]).*\p{L}{2}/u; // a heading that reads well in a question

export async function offerStarts() {
  let found;
  try {
    found = await listDocuments({ limit: LATEST, status: "indexed" });
  } catch {
    return; // asked again after the next upload
  }
  if (!found.data.length) return;
  const names = new Intl.ListFormat(language, { type: "unit" }).format(found.data.map(({ filename }) => shortened(filename)));
  $("read").textContent = t("start.read", { n: found.total, names });
  const questions = await Promise.all(found.data.map(question));
  $("starts").querySelector("ul").replaceChildren(...[...new Set(questions)].map((words) => el("li", {}, el("button", { type: "button" }, words))));
  $("starts").hidden = false;
}

const shortened = (name) => name.split("/").at(-1);

/** A question about a document: of one of its first headings below the title, else of the whole. */
async function question({ id, filename }) {
  const name = shortened(filename);
  try {
    const { headings } = await getOutline(id);
    const below = headings.filter(({ level, title }) => level > 1 && TITLE.test(title));
    if (below.length) return t("start.heading", { name, heading: below[0].title });
  } catch {
    // it has just been deleted, or is read anew
  }
  return t("start.document", { name });
}
