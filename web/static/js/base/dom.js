// Building nodes. Data enters the page as text nodes and attributes only, never as markup.

export const $ = (id) => document.getElementById(id);

/** el("a", {class: "x", href, onclick}, "text", node, null): children that are null or false are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = document.querySelector("svg").namespaceURI;

export function icon(name) {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("class", "icon");
  node.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  node.append(use);
  return node;
}

/** A button that shows an icon and is named by its label. */
export const tool = (name, label, onclick, attributes = {}) =>
  el("button", { type: "button", class: "tool", "aria-label": label, title: label, onclick, ...attributes }, icon(name));

export function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, label]) => el("option", { value }, label)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

let ids = 0;
export const newId = (prefix) => `${prefix}-${(ids += 1)}`;

export const narrow = matchMedia("(max-width: 64rem)");

/** Set the text of a live region only when it changes: what is set again is read out again. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** run() once it has not been called for `ms`. */
export function later(run, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, ms);
  };
}
