// The side list of conversations: search, rename, delete, continue.

import { deleteConversation, listConversations, renameConversation } from "../base/api.js";
import { $, el, later, narrow, tool } from "../base/dom.js";
import { formatAgo, formatTime, t } from "../base/strings.js";
import { deleteLater, toast } from "../base/toast.js";

const LIMIT = 40;

/** current(): id of the conversation that is shown. onDeleted(id): it goes. Returns {refresh, mark, close}. */
export function setUpConversations({ current, onDeleted }) {
  const list = $("conversation-list");
  const hidden = new Set(); // waiting to be deleted
  let page = 1;
  let latest = 0;

  $("conversation-search").addEventListener("input", later(() => refresh(), 200));
  $("more-conversations").addEventListener("click", () => {
    page += 1;
    load(true);
  });
  $("toggle-conversations").addEventListener("click", () => open(!$("workspace").classList.contains("with-conversations")));
  $("conversations").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !narrow.matches) return;
    open(false);
    $("toggle-conversations").focus();
  });
  list.addEventListener("click", (event) => event.target.closest("a") && close());
  $("new-conversation").addEventListener("click", () => close());
  document.addEventListener("visibilitychange", () => document.hidden || refresh()); // another tab may have asked

  function open(shown) {
    $("workspace").classList.toggle("with-conversations", shown);
    $("toggle-conversations").setAttribute("aria-expanded", String(shown));
    if (shown) $("new-conversation").focus();
  }

  const close = () => narrow.matches && open(false);
  $("main").addEventListener("pointerdown", close);

  function refresh() {
    page = 1;
    return load(false);
  }

  async function load(more) {
    const mine = (latest += 1);
    const q = $("conversation-search").value.trim();
    let found;
    try {
      found = await listConversations({ page, limit: LIMIT, ...(q ? { q } : {}) });
    } catch (error) {
      if (mine === latest) $("conversation-note").textContent = error.explain();
      return;
    }
    if (mine !== latest) return;
    const rows = found.data.filter(({ id }) => !hidden.has(id)).map(row);
    if (more) list.append(...rows);
    else list.replaceChildren(...rows);
    $("more-conversations").hidden = !found.has_more;
    $("conversation-note").textContent = list.children.length ? "" : t(q ? "conversations.no_match" : "conversations.none");
    mark();
  }

  function row({ id, title, updated_at: updated }) {
    const link = el("a", { href: `#conversation/${id}`, title: `${title}\n${formatTime(updated)}` }, el("span", { class: "title" }, title), el("span", { class: "small" }, formatAgo(updated)));
    const node = el(
      "li",
      { "data-id": id },
      link,
      el("span", { class: "row tight" }, tool("edit", t("conversations.rename", { title }), () => edit(node, id, title)), tool("trash", t("conversations.delete", { title }), () => remove(node, id, title))),
    );
    return node;
  }

  function edit(node, id, title) {
    const field = el("input", { type: "text", value: title, maxlength: "255", "aria-label": t("conversations.title") });
    const form = el("form", { class: "rename" }, field);
    let over = false;
    const end = async (keep) => {
      if (over) return;
      over = true;
      const wanted = field.value.trim();
      if (keep && wanted && wanted !== title) {
        try {
          await renameConversation(id, wanted);
        } catch (error) {
          toast(error.explain());
        }
      }
      await refresh();
      list.querySelector(`[data-id="${id}"] a`)?.focus();
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      end(true);
    });
    field.addEventListener("blur", () => end(true));
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      end(false);
    });
    node.replaceChildren(form);
    field.focus();
    field.select();
  }

  function remove(node, id, title) {
    hidden.add(id);
    const next = node.nextElementSibling ?? node.previousElementSibling;
    node.remove();
    (next?.querySelector("a") ?? $("new-conversation")).focus();
    if (id === current()) onDeleted(id);
    deleteLater(t("conversations.deleted", { title }), {
      remove: (options) => deleteConversation(id, options),
      restore: () => {
        hidden.delete(id);
        refresh();
      },
    });
  }

  function mark() {
    for (const node of list.children) {
      const link = node.querySelector("a");
      if (node.dataset.id === current()) link?.setAttribute("aria-current", "page");
      else link?.removeAttribute("aria-current");
    }
  }

  return { refresh, mark, close };
}
