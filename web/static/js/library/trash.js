// The trash: documents go in at once and come out again; only here can they be deleted for good, once a person has confirmed it.

import { SETTLED } from "./states.js";
import { deleteDocument, emptyTrash, getDocument, restoreDocument, trashDocument } from "../base/api.js";
import { $ } from "../base/dom.js";
import { t } from "../base/strings.js";
import { toast, UNDO_MS } from "../base/toast.js";

const FOLLOW_MS = 1000;

/**
 * collection(): the one whose documents are listed, or "". onChange(): something came or went.
 * Returns {put, restore, remove}, each (item, gone): gone() is called as soon as the item is to leave the list it is in; and
 * {head(shown, total)} for what stands above the list of the trash, {leaving(id)} for what is about to leave a list.
 */
export function setUpTrash({ collection, onChange }) {
  const moving = new Set();
  const undos = new Map(); // document id -> closes the toast that offers to bring it back, which must not outlive its sense
  let total = 0;
  $("empty-trash").addEventListener("click", empty);

  /** Run a request about an item that leaves its list; whether it did. */
  async function move(item, gone, request, explain = (error) => error.explain()) {
    moving.add(item.id);
    undos.get(item.id)?.();
    undos.delete(item.id);
    gone();
    try {
      await request(item.id);
      return true;
    } catch (error) {
      toast(explain(error));
      return false;
    } finally {
      moving.delete(item.id);
      onChange();
    }
  }

  async function put(item, gone = () => {}) {
    const undo = { label: t("undo"), run: () => restore(item) };
    if (!(await move(item, gone, trashDocument))) return;
    undos.set(item.id, toast(t("trash.put", { name: item.filename }), { ms: UNDO_MS, action: undo }));
  }

  async function restore(item, gone = () => {}) {
    const name = item.filename;
    const explain = (error) => (error.code === "conflict" ? t("trash.taken", { name }) : error.explain());
    if (!(await move(item, gone, restoreDocument, explain))) return;
    toast(t("trash.restored", { name }));
    follow(item.id);
  }

  /** A list that shows only what is ready has nothing to tell it when a restored document is. */
  function follow(id) {
    setTimeout(async () => {
      const found = await getDocument(id).catch(() => null);
      if (found && SETTLED.has(found.status)) onChange();
      else if (found) follow(id);
    }, FOLLOW_MS);
  }

  async function remove(item, gone = () => {}) {
    const name = item.filename;
    if (!(await confirmed(t("trash.ask", { name })))) return;
    if (await move(item, gone, deleteDocument)) toast(t("trash.deleted", { name }));
  }

  async function empty() {
    const name = collection();
    if (!(await confirmed(t(name ? "trash.ask_collection" : "trash.ask_all", { n: total, name })))) return;
    for (const close of undos.values()) close();
    undos.clear();
    try {
      const { deleted } = await emptyTrash(name);
      toast(t("trash.emptied", { n: deleted }));
    } catch (error) {
      toast(error.explain());
    }
    $("filter-status").focus();
    onChange();
  }

  function head(shown, count) {
    total = count;
    $("trash-head").hidden = !shown;
    $("open-trash").hidden = shown;
    $("empty-trash").hidden = !count;
  }

  return { put, restore, remove, head, leaving: (id) => moving.has(id) };
}

/** Whether a person says yes; Escape and the button that has the focus first say no. */
function confirmed(question) {
  const dialog = $("confirm");
  $("confirm-text").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
