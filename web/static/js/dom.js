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

export function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, label]) => el("option", { value }, label)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

let ids = 0;
export const newId = (prefix) => `${prefix}-${(ids += 1)}`;
