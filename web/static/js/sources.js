// One source: a passage or a citation, folded to a snippet, unfolded to the words in their surroundings.

import { documentText, originalUrl, pictureUrl, viewUrl } from "./api.js";
import { el, newId } from "./dom.js";
import { S } from "./strings.js";

const AROUND = 300; // characters shown on either side of a quote

/** span: Citation or Passage. Returns {node, open(from)}; `from` gets the focus back on Escape. */
export function sourceItem(span) {
  const words = span.quote ?? span.text;
  const id = newId("source");
  let opener = null;
  let loaded = false;

  const snippet = el("p", { class: "snippet" }, span.heading ? el("strong", {}, `${span.heading}. `) : null, words);
  const context = el("div", { class: "context", id, hidden: true });
  const head = el(
    "button",
    { type: "button", class: "source-head", "aria-expanded": "false", "aria-controls": id, onclick: () => (context.hidden ? open() : close()) },
    span.n ? el("span", { class: "number-mark" }, String(span.n)) : null,
    el("span", { class: "file" }, span.filename),
    span.page ? el("span", { class: "page" }, S.page(span.page, span.page_end)) : null,
  );
  const node = el("li", { class: "source", onkeydown: onKey }, head, snippet, context);

  function onKey(event) {
    if (event.key !== "Escape" || context.hidden) return;
    close();
    (opener?.isConnected ? opener : head).focus();
  }

  function toggle(shown) {
    context.hidden = !shown;
    snippet.hidden = shown;
    head.setAttribute("aria-expanded", String(shown));
  }

  const close = () => toggle(false);

  async function open(from = null) {
    opener = from;
    toggle(true);
    if (from) {
      head.focus({ preventScroll: true });
      node.scrollIntoView({ block: "nearest" });
    }
    if (loaded) return;
    context.replaceChildren(el("p", { class: "small" }, S.loadingText));
    const { parts, note } = await surroundings(span, words);
    loaded = !note || note === S.changed;
    context.replaceChildren(
      el("blockquote", {}, parts[0], el("mark", {}, parts[1]), parts[2]),
      note ? el("p", { class: "small" }, note) : "",
      note ? "" : pagePicture(span),
      note === S.gone ? "" : el("p", {}, el("a", { href: viewUrl(span), target: "_blank", rel: "noopener" }, S.inDocument)),
      note === S.gone ? "" : el("p", {}, el("a", { href: originalUrl(span.document_id, span.filename, span.page), target: "_blank", rel: "noopener" }, span.page ? S.originalAt(span.page) : S.original)),
    );
    if (from) node.scrollIntoView({ block: "nearest" });
  }

  return { node, open };
}

/** The page with the words marked, for a PDF; it goes if it cannot be drawn. */
function pagePicture(span) {
  if (!span.page || !/\.pdf$/i.test(span.filename)) return "";
  const picture = el("img", { class: "page-picture", src: pictureUrl(span), alt: S.pictureOf(span.page), loading: "lazy", width: 1000, height: 1294 });
  picture.addEventListener("error", () => picture.remove());
  return picture;
}

/** The text before, the words, the text after; a note where the words could not be found in the document. */
async function surroundings(span, words) {
  const start = Math.max(0, span.char_start - AROUND);
  const end = span.char_end + AROUND;
  let text;
  try {
    text = Array.from(await documentText(span.document_id, start, end)); // offsets count code points, not UTF-16 units
  } catch (error) {
    return { parts: ["", words, ""], note: error.status === 404 ? S.gone : error.explain() };
  }
  const from = span.char_start - start;
  const to = span.char_end - start;
  if (text.slice(from, to).join("") !== words) return { parts: ["", words, ""], note: S.changed };
  let before = text.slice(0, from).join("");
  let after = text.slice(to).join("");
  if (start > 0) before = `…${before.replace(/^[^\s\u2e80-\uffef]{1,30}\s/, "")}`; // do not begin inside a word
  if (text.length === end - start) after = `${after.replace(/\s[^\s\u2e80-\uffef]{1,30}$/, "")}…`;
  return { parts: [before, words, after], note: null };
}
