// The readiness line: what is still loading, in plain words, until everything is there.

import { $ } from "./dom.js";
import { S } from "./strings.js";

const POLL_MS = 2000;
const REQUIRED = ["catalog", "embedder", "index"];

/** Polls /readyz until all parts are ready or have failed. onReady() is called once questions can be asked. */
export function watchReadiness(onReady) {
  let timer = 0;
  let told = false;

  async function check() {
    clearTimeout(timer);
    const { text, ready, settled } = await readiness();
    const line = $("status");
    if (line.textContent !== text) line.textContent = text; // live regions repeat what is set again
    if (ready && !told) onReady();
    told = ready;
    if (!settled) timer = setTimeout(check, POLL_MS);
  }

  check();
  return check;
}

async function readiness() {
  let parts;
  let ready;
  try {
    const response = await fetch("/readyz", { headers: { Accept: "application/json" } });
    ({ parts = {}, ready = false } = await response.json());
  } catch {
    return { text: S.noServer, ready: false, settled: false };
  }
  const waiting = [...REQUIRED, "chat"].filter((name) => parts[name] && parts[name].state !== "ready");
  const failed = waiting.find((name) => parts[name].state === "failed");
  const name = failed ?? waiting[0];
  const settled = ready && waiting.every((part) => parts[part].state === "failed");
  if (!name) return { text: "", ready, settled };
  const { detail = "" } = parts[name];
  const words = S.parts[name][failed ? "failed" : "loading"];
  return { text: failed && detail ? `${words}: ${detail}` : [words, detail].filter(Boolean).join(" "), ready, settled };
}
