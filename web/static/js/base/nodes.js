// The server's tree of nodes as elements: an answer's while it grows, and a document's. No markup is parsed here.

import { copy } from "./clipboard.js";
import { el, icon } from "./dom.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const TAGS = new Set("p ul ol li blockquote strong em table thead tbody tr th td h2 h3 h4 h5 h6 span br hr code pre a mark".split(" "));
const inner = new WeakMap(); // of a frame: the element in which its node's children are

/** What stands at the end of a sentence stays on one line: marks that follow each other are one item. */
function items(nodes) {
  const found = [];
  for (const node of nodes) {
    if (node.cite === undefined && node.verdict === undefined) found.push(node);
    else if (found.at(-1)?.tail) found.at(-1).tail.push(node);
    else found.push({ tail: [node] });
  }
  return found;
}

/**
 * The elements of nodes. looks: {cite(n), verdict(node)} make what an answer has beside its words; `tools`: code can be copied.
 * Tags that are not known become their text.
 */
export const build = (nodes, looks = {}) => items(nodes).map((item) => made(item, looks));

/** Turn what `holder` shows from one tree into another, leaving alone what stays: what is pointed at, focused or read. */
export function patch(holder, before, after, looks) {
  const [old, wanted] = [items(before), items(after)];
  let same = 0;
  while (same < Math.min(old.length, wanted.length) && JSON.stringify(old[same]) === JSON.stringify(wanted[same])) same += 1;
  const node = holder.childNodes[same];
  if (same < Math.min(old.length, wanted.length) && alike(old[same], wanted[same])) {
    if (typeof wanted[same] === "string") node.data = wanted[same];
    else patch(inner.get(node) ?? node, old[same].children, wanted[same].children, looks);
    same += 1;
  }
  while (holder.childNodes.length > same) holder.lastChild.remove();
  holder.append(...wanted.slice(same).map((item) => made(item, looks)));
}

function alike(one, other) {
  if (typeof one === "string" || typeof other === "string") return typeof one === typeof other;
  return Boolean(one.children && other.children) && JSON.stringify({ ...one, children: 0 }) === JSON.stringify({ ...other, children: 0 });
}

function made(item, looks) {
  if (typeof item === "string") return document.createTextNode(item);
  if (item.tail) return el("span", { class: "tail" }, item.tail.map((node) => (node.cite === undefined ? looks.verdict(node) : looks.cite(node.cite))));
  const children = build(item.children, looks);
  if (item.tag === "pre") return codeFrame(item, children, looks);
  if (item.tag === "table") return tableFrame(children, looks);
  if (item.tag === "a") return link(item.href, children);
  const classes = [item.claim && "claim", item.kind, item.plain && "plain"].filter(Boolean).join(" ");
  return el(TAGS.has(item.tag) ? item.tag : "span", { start: item.start, class: classes || null, "data-at": item.at }, children);
}

function codeFrame({ language }, children, { tools = true }) {
  const name = language ? t("code.in", { language }) : t("code");
  const code = el("pre", tools ? { tabindex: "0", role: "group", "aria-label": name } : {}, children);
  const onclick = async () => {
    await copy(code.textContent);
    toast(t("copy.code.done"));
  };
  const head = tools ? el("div", { class: "code-head" }, el("span", { "aria-hidden": "true" }, language ?? ""), el("button", { type: "button", class: "tool", "aria-label": t("copy.code"), title: t("copy.code"), onclick }, icon("copy"))) : "";
  const frame = el("div", { class: "code-frame" }, head, code);
  inner.set(frame, code);
  return frame;
}

function tableFrame(children, { tools = true }) {
  const table = el("table", {}, children);
  const frame = el("div", tools ? { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("table") } : { class: "table-frame" }, table);
  inner.set(frame, table);
  return frame;
}

/** A link tells where it leads, since its words are the model's. */
function link(href, children) {
  const { host, pathname } = new URL(href);
  const words = children.map((child) => child.textContent).join("");
  const told = words.includes(host || pathname) ? "" : el("span", { class: "host" }, ` (${host || pathname})`);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", title: t("link.leads", { host: host || pathname }) }, children, told);
}
