// Adding files: sent two at a time, followed until they are ready or have failed, with rate and time left.

import { named } from "./drop.js";
import { SETTLED } from "./states.js";
import { UploadRow } from "./upload_row.js";
import { ApiError, deleteDocument, getJob, listDocuments, retryJob, uploadFile } from "../base/api.js";
import { $, say } from "../base/dom.js";
import { formatBytes, formatDuration, t } from "../base/strings.js";

const SENDING_AT_ONCE = 2;
const POLL_MS = 1000;
const LATEST = 200; // documents that changed last, asked for at each poll; few change within a second
const JOBS_AT_ONCE = 3; // asked for one by one: those that the latest documents do not tell about
const FINISHED = new Set(["done", "failed", "cancelled"]);
const RATED_BYTES = 1e6; // of an upload whose rate is worth telling
const KNOWN_SHARE = 0.03; // of the work done before the time left is told

/** onChange(): a document came or moved on. Returns {add([{file, name, collection, password}])}; the last two may be missing. */
export function setUpUploads({ onChange }) {
  const waiting = [];
  const followed = new Map(); // document id or job id -> row
  const aborts = new Set();
  let rows = [];
  let sending = 0;
  let timer = 0;
  let begun = 0;

  for (const [button, field] of [["choose-files", "files"], ["choose-folder", "folder"]]) {
    $(button).addEventListener("click", () => $(field).click());
    $(field).addEventListener("change", () => {
      add([...$(field).files].filter((file) => !file.name.startsWith(".")).map(named));
      $(field).value = ""; // so that the same file can be chosen again
    });
  }
  $("clear-uploads").addEventListener("click", () => {
    for (const row of rows.filter(({ over }) => over)) row.node.remove();
    rows = rows.filter(({ over }) => !over);
    summarise();
  });
  $("cancel-uploads").addEventListener("click", () => {
    for (const row of waiting.splice(0)) row.fail({ code: "cancelled" }, true);
    for (const abort of aborts) abort();
    summarise();
  });
  addEventListener("beforeunload", (event) => (sending || waiting.length) && event.preventDefault());

  function add(files) {
    if (!files.length) return;
    if (rows.every(({ over }) => over)) begun = performance.now();
    const chosen = $("upload-collection").value.trim() || "default";
    const limit = Number(document.body.dataset.maxUploadMb);
    for (const { file, name, collection = chosen, password } of files) {
      const row = Object.assign(new UploadRow(file, name, { retry, remove }), { collection, password });
      rows.push(row);
      if (limit && file.size > limit * 2 ** 20) row.fail({ message: t("upload.too_large", { size: formatBytes(file.size), n: limit }) });
      else if (!file.size) row.fail({ code: "empty" });
      else waiting.push(row);
    }
    $("uploads").prepend(...rows.slice(-files.length).map(({ node }) => node));
    summarise();
    sendNext();
  }

  async function sendNext() {
    if (sending >= SENDING_AT_ONCE || !waiting.length) return;
    sending += 1;
    const row = waiting.shift();
    sendNext();
    await sendFile(row);
    sending -= 1;
    sendNext();
    summarise();
  }

  async function sendFile(row) {
    row.sending(0);
    const { promise, abort } = uploadFile(row.file, row, (bytes) => {
      row.sending(bytes);
      summarise();
    });
    aborts.add(abort);
    try {
      const { job_id: job, documents } = await promise;
      row.job = job;
      if (documents.length === 1 && documents[0].status === "unchanged") row.show(documents[0], true);
      else follow(row, documents.length === 1 ? documents[0].id : job);
    } catch (error) {
      const problem = error instanceof ApiError ? error : new ApiError(0);
      row.fail(problem.code === "cancelled" ? problem : { code: problem.code, message: problem.explain() }, problem.temporary);
    }
    aborts.delete(abort);
    onChange();
  }

  /** Again: with a password the file is sent anew, a job that failed is repeated, what was never received is sent. */
  async function retry(row, password) {
    row.password = password;
    row.waiting();
    if (row.job && !password) {
      try {
        await retryJob(row.job);
        follow(row, row.document?.id ?? row.job);
      } catch (error) {
        row.fail({ message: error.explain() }, true);
      }
    } else {
      waiting.push(row);
      sendNext();
    }
    summarise();
  }

  function remove(row) {
    if (row.document?.id) deleteDocument(row.document.id).then(onChange, () => {});
    rows = rows.filter((other) => other !== row);
    row.node.remove();
    summarise();
  }

  function follow(row, id) {
    row.show({ status: "queued" }, false);
    followed.set(id, row);
    timer ||= setTimeout(poll, POLL_MS);
  }

  async function poll() {
    let changed = false;
    try {
      const { data } = await listDocuments({ sort: "-updated", limit: LATEST });
      for (const document of data) if (followed.has(document.id)) changed = settle(document.id, document, SETTLED.has(document.status)) || changed;
      const others = [...followed].filter(([id]) => !data.some((document) => document.id === id)).slice(0, JOBS_AT_ONCE);
      for (const [id, row] of others) {
        const job = await getJob(row.job);
        const failed = job.documents.find(({ status }) => status === "failed");
        changed = settle(id, (job.status !== "done" && failed) || job.documents[0] || { status: "cancelled" }, FINISHED.has(job.status)) || changed;
      }
    } catch (error) {
      if (!error.temporary) for (const [id, row] of followed) if (followed.delete(id)) row.fail({ message: error.explain() }, true);
    }
    if (changed) onChange();
    summarise();
    timer = followed.size ? setTimeout(poll, POLL_MS) : 0;
  }

  function settle(id, document, over) {
    const row = followed.get(id);
    row.show(document, over);
    if (row.failed) $("uploads").prepend(row.node);
    return over && followed.delete(id);
  }

  function summarise() {
    $("upload-area").hidden = !rows.length;
    const total = rows.length;
    const over = rows.filter((row) => row.over).length;
    const failed = rows.filter((row) => row.failed).length;
    const bytes = rows.reduce((sum, { file }) => sum + file.size, 0);
    const sent = rows.reduce((sum, row) => sum + row.sent, 0);
    const share = total ? (over / total + (bytes ? sent / bytes : 1)) / 2 : 0; // sending is half of it, reading the other
    const seconds = (performance.now() - begun) / 1000;
    const moving = over < total;
    const parts = [t("upload.summary", { n: over, all: total })];
    if (failed) parts.push(t("upload.failed", { n: failed }));
    if (moving && bytes > RATED_BYTES && sent < bytes && seconds > 1) parts.push(t("upload.rate", { size: formatBytes(sent / seconds) }));
    if (moving && share > KNOWN_SHARE && seconds > 2) parts.push(t("upload.left", { time: formatDuration((seconds * (1 - share)) / share) }));
    $("upload-summary").textContent = parts.join(" · ");
    const tenth = Math.floor((10 * over) / total); // rate and time left would be read out without end
    say($("upload-news"), total ? [t("upload.summary", { n: moving ? Math.ceil((tenth * total) / 10) : over, all: total }), ...(failed ? [parts[1]] : [])].join(" · ") : "");
    $("upload-progress").value = share;
    $("cancel-uploads").hidden = !(waiting.length || aborts.size);
  }

  return { add };
}
