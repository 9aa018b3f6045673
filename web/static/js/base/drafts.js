// What is being typed is kept: for this tab in its own place, and for the next tab once this one is gone, however it went.

const PREFIX = "docent.draft.";

// a private window may refuse to store
const guarded = (run) => {
  try {
    return run();
  } catch {
    return null;
  }
};

export const stored = (key) => guarded(() => localStorage.getItem(key));
export const store = (key, value) => guarded(() => localStorage.setItem(key, value));

const tab = guarded(() => (sessionStorage[PREFIX] ??= crypto.getRandomValues(new Uint32Array(2)).join("")));
const lockOf = (id) => `${PREFIX}${id}`;
// held as long as the tab lives, so that others see whose drafts are orphans; browsers offer it on this machine and where the connection is encrypted
navigator.locks?.request(lockOf(tab), () => new Promise(() => {}));

export const keepDraft = (text) => guarded(() => (text ? localStorage.setItem(PREFIX + tab, text) : localStorage.removeItem(PREFIX + tab)));

/** The draft of this tab, else one whose tab is gone; that one is this tab's from then on. */
export async function keptDraft() {
  const own = stored(PREFIX + tab);
  if (own || !navigator.locks) return own ?? "";
  const { held } = await navigator.locks.query();
  const alive = new Set(held.map(({ name }) => name));
  const orphan = Object.keys(localStorage).find((key) => key.startsWith(PREFIX) && !alive.has(lockOf(key.slice(PREFIX.length))));
  if (!orphan) return "";
  const text = localStorage.getItem(orphan);
  localStorage.removeItem(orphan);
  keepDraft(text);
  return text;
}
