// The readiness line: what is still loading, in plain words, until everything is there.

import { getStatus } from "./base/api.js";
import { $, say } from "./base/dom.js";
import { t } from "./base/strings.js";

const POLL_MS = 2000;
const REQUIRED = ["embedder", "index"];

/** Polls the status until all parts are ready or have failed. onReady() is called once questions can be asked. */
export function watchReadiness(onReady) {
  let timer = 0;
  let told = false;
  // the line takes its height from the page below it, which fills the window
  new ResizeObserver(() => document.documentElement.style.setProperty("--banner", `${$("status").getBoundingClientRect().height}px`)).observe($("status"));

  async function check() {
    clearTimeout(timer);
    const { text, ready, settled } = await readiness();
    say($("status"), text);
    if (ready && !told) onReady();
    told = ready;
    if (!settled) timer = setTimeout(check, POLL_MS);
  }

  check();
  return () => {
    told = false;
    return check();
  };
}

async function readiness() {
  let parts;
  let ready;
  try {
    ({ parts, ready } = await getStatus());
  } catch {
    return { text: t("ready.no_server"), ready: false, settled: false };
  }
  const waiting = [...REQUIRED, "chat"].filter((name) => parts[name] && parts[name].state !== "ready");
  const failed = waiting.find((name) => parts[name].state === "failed");
  const name = failed ?? waiting[0];
  const settled = ready && waiting.every((part) => parts[part].state === "failed");
  if (!name) return { text: "", ready, settled };
  const { detail = "" } = parts[name];
  const words = t(`ready.${name}.${failed ? "failed" : "loading"}`);
  return { text: failed && detail ? `${words}: ${detail}` : words, ready, settled };
}
