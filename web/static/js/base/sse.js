// Server-sent events from the body of a fetch response (EventSource cannot POST).
// Grammar: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

/** Yields {event, data} with data parsed as JSON. onActivity is called for every piece received, pings included. */
export async function* readEvents(body, onActivity = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  let event = "message";
  let data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      onActivity();
      buffer += value;
      // a lone \r at the end may be the first half of \r\n
      const lines = buffer.split(/\r\n|\n|\r(?!$)/);
      buffer = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (data.length) yield { event, data: JSON.parse(data.join("\n")) };
          event = "message";
          data = [];
        } else if (!line.startsWith(":")) {
          const colon = line.indexOf(":");
          const name = colon < 0 ? line : line.slice(0, colon);
          const content = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
          if (name === "event") event = content;
          else if (name === "data") data.push(content);
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
