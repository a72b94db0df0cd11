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
  let documents = null;
  const STARTING = "L’assistant ne répond pas. Réessayez dans quelques secondes.";
  const LOST = "L’assistant est injoignable pour l’instant. Il redémarre peut-être : réessayez dans quelques secondes.";
  // French spacing, for display: what precedes « : ; ? ! » never begins a line. Quotes and what is asked stay as they are.
  const spaced = (text) => text.replace(/ (?=[:;?!»])/g, "\u00a0").replace(/« /g, "«\u00a0");
  const quoted = (citation) => `«\u00a0${citation.quote.replace(/\s+/g, " ").trim()}\u00a0»`;

  const history = () =>
    turns.filter((t) => t.answer).slice(-6).flatMap((t) => [
      { role: "user", content: t.question },
      { role: "assistant", content: t.answer.answer.slice(0, 4000) },
    ]);

  const save = () => {
    try {
      sessionStorage.setItem(STORE, JSON.stringify(turns.filter((t) => t.answer)));
    } catch {
      sessionStorage.removeItem(STORE); // full, or forbidden: the conversation goes on without being kept
    }
  };

  // Gradio draws the page after this script is read.
  const start = () => {
    if (!$("b17-form")) return;
    drawing.disconnect();
    bind();
    begin();
    label();
    layout();
    welcome();
  };

  // What the corpus holds and what becomes of questions: asked at each visit, and again while the index is being opened.
  const welcome = async () => {
    const told = await fetch("welcome.json").then((r) => r.json()).catch(() => null);
    if (told) {
      $("b17-holdings").textContent = told.holdings;
      $("b17-privacy").textContent = told.privacy;
    }
    if (!told?.ready) setTimeout(welcome, 3000);
  };

  const bind = () => {
    $("b17-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (running) return running.abort();
      ask($("b17-question").value);
    });
    $("b17-question").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!running) $("b17-form").requestSubmit(); // the key asks; only the button stops
    });
    document.querySelectorAll("[data-example]").forEach((button) =>
      button.addEventListener("click", () => ask(button.dataset.example)));
    $("b17-new").addEventListener("click", renew);
    $("b17-close").addEventListener("click", closeSource);
    $("b17-previous").addEventListener("click", () => turnPage(-1));
    $("b17-next").addEventListener("click", () => turnPage(1));
    $("b17-log").addEventListener("mouseover", tell);
    $("b17-log").addEventListener("focusin", tell);
    $("b17-log").addEventListener("mouseout", hush);
    $("b17-log").addEventListener("focusout", hush);
  };

  const begin = () => {
    document.documentElement.lang = "fr";
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      closeSource();
      hush(); // after: the citation that takes the focus again would show its quote
    });
    try {
      turns = JSON.parse(sessionStorage.getItem(STORE) || "[]");
    } catch {
      turns = [];
    }
    turns.forEach((turn) => finish(draw(turn.question), turn.answer));
    const address = new URL(location.href);
    const asked = address.searchParams.get("q");
    if (!asked) return;
    address.searchParams.delete("q"); // reading the page again doesn't ask again
    window.history.replaceState(null, "", address);
    ask(asked);
  };

  const layout = () => $("b17").classList.toggle("started", turns.length > 0);
  const label = () => { $("b17-send").textContent = running ? "Arrêter" : "Demander"; };

  // The quote of a citation, shown while its number is hovered or has the focus.
  const tell = (event) => {
    const button = event.target.closest?.(".b17-call");
    if (!button || button.classList.contains("open")) return;
    const tip = $("b17-tip");
    tip.replaceChildren(make("strong", "", button.dataset.where), document.createTextNode(button.dataset.quote));
    tip.hidden = false;
    const box = button.getBoundingClientRect();
    const room = document.documentElement.clientWidth - tip.offsetWidth - 12;
    const above = box.bottom + tip.offsetHeight + 16 > window.innerHeight;
    tip.style.left = `${window.scrollX + Math.max(12, Math.min(box.left - 12, room))}px`;
    tip.style.top = `${window.scrollY + (above ? box.top - tip.offsetHeight - 8 : box.bottom + 8)}px`;
    button.setAttribute("aria-describedby", "b17-tip");
  };

  const hush = () => {
    $("b17-tip").hidden = true;
    document.querySelectorAll(".b17-call[aria-describedby]").forEach((b) => b.removeAttribute("aria-describedby"));
  };

  const renew = () => {
    if (running) running.abort();
    running = null;
    label();
    turns = [];
    sessionStorage.removeItem(STORE);
    $("b17-log").replaceChildren();
    closeSource();
    layout();
    $("b17-question").focus();
  };

  const draw = (question) => {
    const turn = make("article", "b17-turn");
    const asked = make("h2", "b17-asked", spaced(question));
    asked.tabIndex = -1;
    turn.append(asked);
    const text = make("div", "b17-text");
    text.append(make("p", "b17-wait", "Je cherche dans le corpus…"));
    turn.append(text);
    $("b17-log").append(turn);
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
    hush();
    const typing = document.activeElement === $("b17-question");
    const turn = draw(question);
    turn.querySelector(".b17-text").setAttribute("aria-live", "polite");
    turn.scrollIntoView({ block: "start" });
    // A clicked suggestion keeps no focus once the first screen is gone: the question takes it.
    if (!typing) turn.querySelector(".b17-asked").focus({ preventScroll: true });
    const mine = (running = new AbortController());
    label();
    let text = "";
    const citations = [];
    try {
      const response = await fetch("v1/ask", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ question, history: earlier, stream: true }),
        signal: mine.signal,
      });
      if (!response.ok) {
        const problem = await response.json().catch(() => ({}));
        throw new Error(problem.detail || STARTING);
      }
      for await (const { event, data } of events(response.body)) {
        if (event === "text") text += data.delta;
        if (event === "citation") citations.push(data);
        if (event === "text") body(turn, text, citations);
        if (event === "error") throw new Error(data.detail || STARTING);
        if (event === "done") {
          entry.answer = data;
          finish(turn, data);
          save();
        }
      }
      if (!entry.answer) throw new Error("La réponse s’est interrompue. Reposez votre question.");
    } catch (error) {
      const stopped = error.name === "AbortError";
      const message = stopped ? "Réponse arrêtée." : error instanceof TypeError ? LOST : error.message;
      const target = turn.querySelector(".b17-text");
      target.querySelector(".b17-wait")?.remove();
      target.append(make("p", stopped ? "b17-note" : "b17-error", message)); // what was verified before stays
      const again = make("button", "b17-chip", stopped ? "Reposer la question" : "Réessayer");
      again.type = "button";
      again.addEventListener("click", () => {
        if (running) return;
        turn.remove();
        turns = turns.filter((t) => t !== entry);
        ask(question);
      });
      turn.append(again);
    } finally {
      if (running === mine) {
        running = null;
        label();
      }
    }
  };

  async function* events(stream) {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer = (buffer + value).replace(/\r\n/g, "\n"); // the two may come in two pieces
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
  // Only what is new is added: what is read aloud, or has the focus, stays in place.
  const body = (turn, text, citations) => {
    const target = turn.querySelector(".b17-text");
    const lines = text.split("\n").filter((line) => line.trim());
    const drawn = [...target.querySelectorAll("[data-line]")];
    if (!drawn.length) target.replaceChildren();
    lines.forEach((line, at) => {
      const before = drawn[at]?.dataset.line;
      if (before === line) return;
      const item = line.startsWith("- ");
      const added = before && line.startsWith(before) && !/\[\d*$/.test(before);
      const element = drawn[at] ?? make(item ? "li" : "p");
      if (before && !added) element.replaceChildren();
      fill(element, added ? line.slice(before.length) : item ? line.slice(2) : line, citations);
      element.dataset.line = line;
      if (drawn[at]) return;
      if (item && target.lastElementChild?.tagName !== "UL") target.append(make("ul"));
      (item ? target.lastElementChild : target).append(element);
    });
  };

  const fill = (element, text, citations) => {
    for (const part of text.split(/(\[\d+\])/)) {
      const call = part.match(/^\[(\d+)\]$/);
      const citation = call && citations.find((c) => c.n === Number(call[1]));
      if (!citation) {
        element.append(document.createTextNode(spaced(part)));
        continue;
      }
      const button = make("button", "b17-call", String(citation.n));
      button.type = "button";
      button.dataset.quote = quoted(citation);
      button.dataset.where = `${citation.title}, p.\u00a0${citation.page_label || citation.page}`;
      button.setAttribute("aria-label", `Citation ${citation.n}\u00a0: ${button.dataset.where}`);
      button.addEventListener("click", () => openSource(citation, button));
      element.append(button);
    }
  };

  const finish = (turn, answer) => {
    body(turn, answer.answer, answer.citations);
    turn.classList.add(answer.status);
    const foot = make("div", "b17-foot");
    if (answer.citations.length) {
      const sources = make("ul", "b17-sources");
      const seen = new Map();
      for (const citation of answer.citations) {
        const key = `${citation.document_id}/${citation.page}`;
        if (seen.has(key)) continue;
        seen.set(key, citation);
        const item = make("li");
        const link = make("button", "b17-source", `${citation.title}, p.\u00a0${citation.page_label || citation.page}`);
        link.type = "button";
        link.addEventListener("click", () => openSource(citation, link));
        item.append(link);
        sources.append(item);
      }
      const copy = make("button", "b17-chip", "Copier avec les sources");
      copy.type = "button";
      copy.addEventListener("click", async () => {
        copy.textContent = (await copied(withSources(answer))) ? "Copié" : "La copie est bloquée par le navigateur";
        setTimeout(() => { copy.textContent = "Copier avec les sources"; }, 4000);
      });
      foot.append(make("h3", "b17-small", "Pages citées"), sources, copy);
    }
    if (answer.suggestions.length) {
      foot.append(make("h3", "b17-small", "Vous pouvez demander ensuite"));
      for (const suggestion of answer.suggestions) {
        const chip = make("button", "b17-chip", spaced(suggestion));
        chip.type = "button";
        chip.addEventListener("click", () => ask(suggestion));
        foot.append(chip);
      }
    }
    turn.append(foot);
  };

  const withSources = (answer) => {
    const notes = answer.citations.map((c) => `[${c.n}] ${c.title}, p.\u00a0${c.page_label || c.page}\u00a0: ${quoted(c)}`);
    return `${answer.question}\n\n${answer.answer}\n\n${notes.join("\n")}`;
  };

  const copied = async (text) => {
    if (navigator.clipboard) {
      return navigator.clipboard.writeText(text).then(() => true, () => false);
    }
    const area = make("textarea"); // over plain http, as on a local network, there is no clipboard API
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  let opener = null;
  const openSource = (citation, from) => {
    opener = from;
    shown = { citation, page: citation.page };
    document.querySelectorAll(".b17-call.open").forEach((b) => b.classList.remove("open"));
    if (from.classList.contains("b17-call")) from.classList.add("open");
    $("b17").classList.add("reading");
    hush();
    showPage();
    $("b17-panel").focus({ preventScroll: true });
    $("b17-panel").scrollTop = 0;
    from.scrollIntoView({ block: window.innerWidth < 1024 ? "start" : "nearest" }); // in sight, above the panel on a phone
  };

  const pagesOf = async (id) => {
    documents ??= fetch("v1/documents").then((r) => (r.ok ? r.json() : { documents: [] })).catch(() => ({ documents: [] }));
    return (await documents).documents.find((d) => d.id === id);
  };

  const showPage = async () => {
    const asked = shown;
    const { citation, page } = asked;
    const own = page === citation.page;
    const printed = own && citation.page_label && citation.page_label !== String(page) ? citation.page_label : "";
    $("b17-title").textContent = citation.title;
    $("b17-where").textContent = [
      printed ? `Page ${printed} (page ${page} du fichier)` : `Page ${page}`,
      own && citation.section !== citation.title ? citation.section : "",
    ].filter(Boolean).join(" · ");
    $("b17-quote").textContent = own ? quoted(citation) : "";
    const base = `v1/documents/${encodeURIComponent(citation.document_id)}`;
    const picture = $("b17-picture");
    picture.removeAttribute("src"); // never the page before under this page's number
    picture.hidden = false;
    $("b17-page").hidden = true;
    picture.alt = `Page ${page} de «\u00a0${citation.title}\u00a0»${own ? ", le passage cité est surligné" : ""}`;
    picture.onerror = () => shown === asked && page === shown.page && showText(base, asked);
    picture.src = `${base}/pages/${page}.png${own ? `?quote=${encodeURIComponent(citation.quote)}` : ""}`;
    $("b17-pdf").textContent = "Ouvrir le PDF à cette page";
    $("b17-pdf").href = `${base}/file#page=${page}`;
    $("b17-pdf").hidden = false;
    $("b17-previous").disabled = page <= 1;
    $("b17-next").disabled = false;
    const held = await pagesOf(citation.document_id);
    if (shown !== asked || !held) return;
    $("b17-next").disabled = page >= held.pages;
    $("b17-pdf").hidden = !held.has_file;
  };

  // Where a page has no picture (a text file, a damaged PDF), its text.
  const showText = async (base, asked) => {
    const response = await fetch(`${base}/pages/${asked.page}`).catch(() => null);
    const found = response?.ok ? await response.json().catch(() => null) : null;
    if (shown !== asked) return;
    $("b17-picture").hidden = true;
    $("b17-pdf").textContent = "Ouvrir le document";
    $("b17-page").hidden = false;
    $("b17-page").textContent = found ? found.text : "Cette page ne peut pas être affichée pour l’instant.";
  };

  const turnPage = (step) => {
    if (!shown) return;
    shown = { ...shown, page: Math.max(1, shown.page + step) };
    showPage();
  };

  const closeSource = () => {
    if (!$("b17").classList.contains("reading")) return;
    $("b17").classList.remove("reading");
    document.querySelectorAll(".b17-call.open").forEach((b) => b.classList.remove("open"));
    opener?.focus();
  };

  const drawing = new MutationObserver(start);
  drawing.observe(document.documentElement, { childList: true, subtree: true });
  start();
})();
