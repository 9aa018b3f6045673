// Files dropped anywhere on the page; folders are walked, and a file is named by its path below what was dropped.

import { $ } from "../base/dom.js";

/** add([{file, name}]) */
export function setUpDrop(add) {
  const overlay = $("drop-overlay");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) overlay.hidden = false;
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) overlay.hidden = true;
  });
  document.addEventListener("drop", async (event) => {
    overlay.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const { items, files } = event.dataTransfer;
    const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // valid during this event only
    if (entries.some((entry) => entry.isDirectory)) add((await Promise.all(entries.map(walk))).flat());
    else add([...files].map(named));
  });
}

/** A file of a chooser: a chosen folder gives paths. */
export const named = (file) => ({ file, name: file.webkitRelativePath || file.name });

async function walk(entry) {
  if (entry.name.startsWith(".")) return [];
  try {
    if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), name: entry.fullPath.replace(/^\//, "") }];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 at a time
      if (!some.length) return found;
      for (const child of some) found.push(...(await walk(child)));
    }
  } catch {
    return []; // unreadable for the browser: nothing that could be sent
  }
}
