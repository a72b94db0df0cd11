// The conversation: asks POST /v1/ask, shows verified text as it comes, opens each citation at its page.
// Everything that comes from the server is set as text, never as HTML.
(() => {
  const STORE = "boussole17.conversation";
  const $ = (id) => document.getElementById(id);
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  let turns = [];
  let running = null;
  let shown = null;

  const history = () =>
    turns.filter((t) => t.answer).slice(-6).flatMap((t) => [
      { role: "user", content: t.question },
      { role: "assistant", content: t.answer.answer.slice(0, 4000) },
    ]);

  const save = () => sessionStorage.setItem(STORE, JSON.stringify(turns.filter((t) => t.answer)));

  const start = () => {
    if (!$("b17-form")) return setTimeout(start, 50); // Gradio draws its page after this script is read
    document.documentElement.lang = "fr";
    $("b17-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (running) return running.abort();
      ask($("b17-question").value);
    });
    $("b17-question").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        $("b17-form").requestSubmit();
      }
    });
    document.querySelectorAll("[data-example]").forEach((button) =>
      button.addEventListener("click", () => ask(button.dataset.example)));
    $("b17-new").addEventListener("click", renew);
    $("b17-close").addEventListener("click", closeSource);
    $("b17-previous").addEventListener("click", () => turnPage(-1));
    $("b17-next").addEventListener("click", () => turnPage(1));
    document.addEventListener("keydown", (event) => event.key === "Escape" && closeSource());
    try {
      turns = JSON.parse(sessionStorage.getItem(STORE) || "[]");
    } catch {
      turns = [];
    }
    turns.forEach((turn) => finish(draw(turn.question), turn.answer));
    layout();
    const asked = new URLSearchParams(location.search).get("q");
    if (asked && !turns.length) ask(asked);
  };

  const layout = () => $("b17").classList.toggle("started", turns.length > 0);

  const renew = () => {
    if (running) running.abort();
    turns = [];
    sessionStorage.removeItem(STORE);
    $("b17-log").replaceChildren();
    closeSource();
    layout();
    $("b17-question").focus();
  };

  const draw = (question) => {
    const turn = make("article", "b17-turn");
    turn.append(make("h2", "b17-asked", question));
    const text = make("div", "b17-text");
    text.setAttribute("aria-live", "polite");
    text.append(make("p", "b17-wait", "Je cherche dans le corpus…"));
    turn.append(text);
    $("b17-log").append(turn);
    turn.scrollIntoView({ block: "start", behavior: "smooth" });
    return turn;
  };

  const ask = async (raw) => {
    const question = raw.trim();
    if (!question || running) return;
    $("b17-question").value = "";
    const earlier = history();
    const entry = { question };
    turns.push(entry);
    layout();
    const turn = draw(question);
    running = new AbortController();
    $("b17-send").textContent = "Arrêter";
    let text = "";
    const citations = [];
    try {
      const response = await fetch("v1/ask", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ question, history: earlier, stream: true }),
        signal: running.signal,
      });
      if (!response.ok) {
        const problem = await response.json().catch(() => ({}));
        throw new Error(problem.detail || "L’assistant ne répond pas. Réessayez dans quelques secondes.");
      }
      for await (const { event, data } of events(response.body)) {
        if (event === "text") text += data.delta;
        if (event === "citation") citations.push(data);
        if (event === "text") body(turn, text, citations);
        if (event === "error") throw new Error(data.detail);
        if (event === "done") {
          entry.answer = data;
          finish(turn, data);
          save();
        }
      }
      if (!entry.answer) throw new Error("La réponse s’est interrompue. Reposez votre question.");
    } catch (error) {
      const stopped = error.name === "AbortError";
      const lost = error instanceof TypeError;
      const message = stopped ? "Réponse arrêtée."
        : lost ? "L’assistant est injoignable pour l’instant. Il redémarre peut-être : réessayez dans quelques secondes."
        : error.message;
      turn.querySelector(".b17-text").replaceChildren(make("p", "b17-error", message));
      const again = make("button", "b17-chip", "Réessayer");
      again.addEventListener("click", () => { turn.remove(); turns = turns.filter((t) => t !== entry); ask(question); });
      turn.append(again);
    } finally {
      running = null;
      $("b17-send").textContent = "Demander";
    }
  };

  async function* events(stream) {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value.replace(/\r\n/g, "\n");
      let end;
      while ((end = buffer.indexOf("\n\n")) >= 0) {
        const lines = buffer.slice(0, end).split("\n");
        buffer = buffer.slice(end + 2);
        const event = lines.find((l) => l.startsWith("event:"))?.slice(6).trim();
        const data = lines.filter((l) => l.startsWith("data:")).map((l) => l.slice(5).trim()).join("\n");
        if (event && data) yield { event, data: JSON.parse(data) };
      }
    }
  }

  // The answer's text is lines; a line that begins with "- " is a list item; [n] calls a citation.
  const body = (turn, text, citations) => {
    const target = turn.querySelector(".b17-text");
    const parts = [];
    let list = null;
    for (const line of text.split("\n")) {
      if (!line.trim()) continue;
      const item = line.startsWith("- ");
      const element = make(item ? "li" : "p");
      fill(element, item ? line.slice(2) : line, citations);
      if (item) {
        if (!list) parts.push((list = make("ul")));
        list.append(element);
      } else {
        list = null;
        parts.push(element);
      }
    }
    target.replaceChildren(...parts);
  };

  const fill = (element, text, citations) => {
    for (const part of text.split(/(\[\d+\])/)) {
      const call = part.match(/^\[(\d+)\]$/);
      const citation = call && citations.find((c) => c.n === Number(call[1]));
      if (!citation) {
        element.append(document.createTextNode(part));
        continue;
      }
      const button = make("button", "b17-call", String(citation.n));
      button.type = "button";
      button.title = `« ${citation.quote.replace(/\s+/g, " ")} »`;
      button.setAttribute("aria-label", `Citation ${citation.n} : ${citation.title}, page ${citation.page_label}`);
      button.addEventListener("click", () => openSource(citation, button));
      element.append(button);
    }
  };

  const finish = (turn, answer) => {
    body(turn, answer.answer, answer.citations);
    turn.classList.add(answer.status);
    const foot = make("div", "b17-foot");
    if (answer.citations.length) {
      const sources = make("ol", "b17-sources");
      const seen = new Map();
      for (const citation of answer.citations) {
        const key = `${citation.document_id}/${citation.page}`;
        if (seen.has(key)) continue;
        seen.set(key, citation);
        const item = make("li");
        const link = make("button", "b17-source", `${citation.title}, p. ${citation.page_label}`);
        link.type = "button";
        link.addEventListener("click", () => openSource(citation, link));
        item.append(link);
        sources.append(item);
      }
      const copy = make("button", "b17-chip", "Copier avec les sources");
      copy.type = "button";
      copy.addEventListener("click", async () => {
        const notes = answer.citations.map((c) => `[${c.n}] ${c.title}, p. ${c.page_label} : « ${c.quote.replace(/\s+/g, " ")} »`);
        await navigator.clipboard.writeText(`${answer.answer}\n\n${notes.join("\n")}`);
        copy.textContent = "Copié";
      });
      foot.append(make("h3", "b17-small", "Pages citées"), sources, copy);
    }
    if (answer.suggestions.length) {
      foot.append(make("h3", "b17-small", "Vous pouvez demander ensuite"));
      for (const suggestion of answer.suggestions) {
        const chip = make("button", "b17-chip", suggestion);
        chip.type = "button";
        chip.addEventListener("click", () => ask(suggestion));
        foot.append(chip);
      }
    }
    turn.append(foot);
  };

  let opener = null;
  const openSource = (citation, from) => {
    opener = from;
    shown = { citation, page: citation.page };
    document.querySelectorAll(".b17-call.open").forEach((b) => b.classList.remove("open"));
    if (from.classList.contains("b17-call")) from.classList.add("open");
    $("b17").classList.add("reading");
    showPage();
    $("b17-panel").focus();
    $("b17-panel").scrollIntoView({ block: "nearest", behavior: "smooth" });
  };

  const showPage = () => {
    const { citation, page } = shown;
    const own = page === citation.page;
    $("b17-title").textContent = citation.title;
    $("b17-where").textContent = `Page ${own ? citation.page_label : page}${own && citation.section ? ` · ${citation.section}` : ""}`;
    $("b17-quote").textContent = own ? `« ${citation.quote.replace(/\s+/g, " ")} »` : "";
    const base = `v1/documents/${encodeURIComponent(citation.document_id)}`;
    const picture = $("b17-picture");
    picture.alt = `Page ${page} de « ${citation.title} »${own ? ", le passage cité est surligné" : ""}`;
    picture.src = `${base}/pages/${page}.png${own ? `?quote=${encodeURIComponent(citation.quote)}` : ""}`;
    $("b17-pdf").href = `${base}/file#page=${page}`;
    $("b17-previous").disabled = page <= 1;
    picture.onerror = () => { if (page > 1 && !own) { shown.page -= 1; $("b17-next").disabled = true; showPage(); } };
  };

  const turnPage = (step) => {
    if (!shown) return;
    if (step < 0) $("b17-next").disabled = false;
    shown.page = Math.max(1, shown.page + step);
    showPage();
  };

  const closeSource = () => {
    if (!$("b17").classList.contains("reading")) return;
    $("b17").classList.remove("reading");
    document.querySelectorAll(".b17-call.open").forEach((b) => b.classList.remove("open"));
    opener?.focus();
  };

  start();
})();
