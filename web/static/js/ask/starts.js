// What an empty conversation offers about a library of one's own: what was read last, and questions that its headings suggest.

import { getOutline, listDocuments } from "../base/api.js";
import { $, el } from "../base/dom.js";
import { language, t } from "../base/strings.js";

const LATEST = 6; // documents that are looked at
const NAMED = 3; // of them, and questions offered
const TITLE = /^(?=.{3,60}$)(?!.*[|{}<>`]).*\p{L}{2}/u; // a heading that reads well in a question

export async function offerStarts() {
  let found;
  try {
    found = await listDocuments({ limit: LATEST, status: "indexed" });
  } catch {
    return; // asked again after the next upload
  }
  if (!found.data.length) return;
  const names = new Intl.ListFormat(language, { type: "unit" }).format(found.data.slice(0, NAMED).map(({ filename }) => shortened(filename)));
  $("read").textContent = t("start.read", { n: found.total, names });
  const asked = [...new Set((await Promise.all(found.data.map(question))).filter(Boolean))];
  const questions = asked.length ? asked : found.data.map(({ filename }) => t("start.document", { name: shortened(filename) }));
  $("starts").querySelector("ul").replaceChildren(...questions.slice(0, NAMED).map((words) => el("li", {}, el("button", { type: "button" }, words))));
  $("starts").hidden = false;
}

const shortened = (name) => name.split("/").at(-1);

/** A question about the first heading of a document below its title that reads well in one. */
async function question({ id, filename }) {
  const name = shortened(filename);
  try {
    const { headings } = await getOutline(id);
    const below = headings.filter(({ level, title }) => level > 1 && TITLE.test(title));
    return below.length ? t("start.heading", { name, heading: below[0].title }) : null;
  } catch {
    return null; // it has just been deleted, or is read anew
  }
}
