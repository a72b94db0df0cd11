// The API, as the widget needs it. Every failure is an `AskError` whose message may be shown.
const SILENCE = 45_000; // ms without a byte (heartbeats come every 15 s) before a stream is given up

class AskError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

class Client {
  constructor(base, key, strings, lang) {
    Object.assign(this, { base, key, strings, lang });
  }

  async call(path, options = {}) {
    let response;
    try {
      response = await fetch(new URL(path.replace(/^\//, ""), this.base), {
        ...options,
        headers: { Authorization: `Bearer ${this.key}`, ...options.headers },
        credentials: "omit",
        referrerPolicy: "no-referrer",
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new AskError(this.strings.lost);
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    const told = this.lang === "fr" && typeof problem.detail === "string" ? problem.detail : this.strings.failed;
    throw new AskError(told, response.status);
  }

  post(path, body, signal) {
    return this.call(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
      signal,
    });
  }

  // The events of one answer: [name, data] as they come.
  async *ask(question, history, signal) {
    const watch = new AbortController();
    const either = () => watch.abort();
    signal.addEventListener("abort", either);
    let alarm = setTimeout(either, SILENCE);
    try {
      const response = await this.post("v1/ask", { question, history, stream: true }, watch.signal);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let pending = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(alarm);
        alarm = setTimeout(either, SILENCE);
        const events = (pending + value).split(/\r\n\r\n|\n\n/);
        pending = events.pop();
        for (const event of events) {
          const read = this.read(event);
          if (read) yield read;
        }
      }
    } catch (error) {
      if (error instanceof AskError || signal.aborted) throw error;
      throw new AskError(this.strings.lost);
    } finally {
      clearTimeout(alarm);
      signal.removeEventListener("abort", either);
      watch.abort(); // whoever stops reading stops the work
    }
  }

  read(event) {
    let name = "message";
    const data = [];
    for (const line of event.split(/\r?\n/)) {
      if (line.startsWith("event:")) name = line.slice(6).trim();
      if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    }
    return data.length ? [name, JSON.parse(data.join("\n"))] : null; // a heartbeat has no data
  }

  async picture(citation) {
    const response = await this.call(`${citation.page_url}.png?quote=${encodeURIComponent(citation.quote)}`);
    return createImageBitmap(await response.blob()); // drawn on a canvas: no `img-src` is asked of the page's policy
  }

  async json(path) {
    return (await this.call(path)).json();
  }
}
