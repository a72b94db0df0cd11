// <boussole-chat key="pk_…">: see docs/widget.md. One element is one conversation, kept in this tab alone.
const SCRIPT = document.currentScript?.src ?? "";
const SHEET = new CSSStyleSheet(); // constructed: no policy on styles refuses it
SHEET.replaceSync(CSS_TEXT);
const TOLD = 6; // exchanges sent with a question

class BoussoleChat extends HTMLElement {
  static observedAttributes = ["key", "lang", "mode", "api", "heading", "questions"];

  connectedCallback() {
    if (this.shadowRoot) return;
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [SHEET];
    this.turns = this.stored();
    this.build();
  }

  disconnectedCallback() {
    this.running?.abort();
  }

  attributeChangedCallback(name, before, after) {
    if (this.shadowRoot && before !== after) this.build();
  }

  // --- for the page around

  open() {
    if (this.mode !== "bubble") return;
    this.panel.hidden = false;
    this.launcher.setAttribute("aria-expanded", "true");
    this.store();
    this.greet();
    this.input.focus();
  }

  close() {
    if (this.mode !== "bubble" || this.panel.hidden) return;
    this.source.close();
    this.panel.hidden = true;
    this.launcher.setAttribute("aria-expanded", "false");
    this.store();
    this.launcher.focus();
  }

  async ask(raw) {
    const question = String(raw).trim();
    if (!question || this.running) return;
    const history = this.history();
    const turn = this.drawQuestion(question);
    const running = (this.running = new AbortController());
    this.label();
    this.tell(this.strings.searching);
    const answer = { text: "", citations: [] };
    try {
      for await (const [name, data] of this.client.ask(question, history, running.signal)) {
        if (name === "text") {
          answer.text += data.delta;
          turn.wait.remove();
          drawAnswer(turn.text, answer.text, this.caller(answer.citations));
          this.tell(withoutCalls(data.delta));
          this.follow(turn.item);
        } else if (name === "citation") {
          answer.citations.push(data);
        } else if (name === "done") {
          answer.whole = data;
        } else if (name === "error") {
          throw new AskError(this.tongue === "fr" ? data.detail : this.strings.failed, data.status);
        }
      }
      if (!answer.whole) throw new AskError(this.strings.lost);
      this.turns.push({ question, answer: answer.whole });
      this.drawAnswered(turn, answer.whole);
      this.store();
    } catch (error) {
      this.drawFailed(turn, question, running.signal.aborted ? this.strings.stopped : error.message);
    } finally {
      if (this.running === running) this.running = null;
      this.label();
      this.dispatchEvent(new CustomEvent("boussole-answer", { detail: { status: answer.whole?.status ?? "failed" } }));
    }
  }

  // --- what it is made of

  build() {
    this.running?.abort();
    this.running = null;
    this.mode = ["inline", "page"].includes(this.getAttribute("mode")) ? this.getAttribute("mode") : "bubble";
    const language = this.getAttribute("lang") || this.closest("[lang]")?.getAttribute("lang") || "fr";
    this.tongue = language.toLowerCase().startsWith("en") ? "en" : "fr";
    this.strings = STRINGS[this.tongue];
    this.base = new URL(".", this.getAttribute("api") ? `${this.getAttribute("api").replace(/\/?$/, "/")}` : SCRIPT || location.href);
    this.client = new Client(this.base, this.getAttribute("key") ?? "", this.strings, this.tongue);
    this.source = new Source(this);
    const strings = this.strings;
    const bubble = this.mode === "bubble";
    const title = this.getAttribute("heading") || strings.title;
    const button = (name, text, action, more = {}) => el("button", { type: "button", class: name, onclick: action, ...more }, text);
    this.status = el("div", { class: "unseen", role: "status", "aria-live": "polite" });
    this.log = el("ol", { class: "log", "aria-label": strings.conversation });
    this.welcome = el("div", { class: "welcome" });
    this.body = el("div", { class: "body", tabindex: "0", role: "group", "aria-label": strings.conversation }, this.welcome, this.log);
    this.input = el("textarea", { id: "question", rows: "1", maxlength: "2000", placeholder: strings.placeholder, onkeydown: (e) => this.onKey(e) });
    this.sender = el("button", { class: "send" });
    this.panel = el("div",
      { class: "panel", id: "panel", role: bubble ? "dialog" : false, "aria-label": bubble ? title : false, hidden: bubble && !this.kept.open },
      el("header", { class: "top" },
        el("h2", {}, title),
        button("quiet", strings.renew, () => this.renew()),
        bubble ? button("icon", "×", () => this.close(), { "aria-label": strings.close }) : null),
      this.body,
      el("form", { onsubmit: (e) => this.onSubmit(e) },
        el("label", { class: "unseen", for: "question" }, strings.question), this.input, this.sender),
      this.source.element, this.status);
    this.launcher = bubble
      ? button("launcher", strings.open, () => (this.panel.hidden ? this.open() : this.close()),
          { "aria-expanded": String(!this.panel.hidden), "aria-controls": "panel" })
      : null;
    this.shadowRoot.replaceChildren(
      el("section", { class: `root ${this.mode}`, lang: this.tongue, "aria-label": title, onkeydown: (e) => this.onEscape(e) }, this.panel, this.launcher));
    this.label();
    this.turns.forEach(({ question, answer }) => {
      const turn = this.drawQuestion(question);
      turn.wait.remove();
      drawAnswer(turn.text, answer.answer, this.caller(answer.citations));
      this.drawAnswered(turn, answer);
    });
    this.drawWelcome();
    if (!this.panel.hidden) this.greet();
  }

  drawWelcome() {
    const { strings } = this;
    const examples = (this.getAttribute("questions") ?? "").split("|").map((q) => q.trim()).filter(Boolean);
    this.holdings = el("p", { class: "small" });
    this.welcome.replaceChildren(
      el("p", {}, spaced(strings.welcome)),
      ...(examples.length ? [el("p", { class: "small" }, strings.examples)] : []),
      this.chips(examples),
      this.holdings);
    this.welcome.hidden = this.turns.length > 0;
    if (!this.getAttribute("key")) this.holdings.textContent = strings.noKey;
  }

  // What the corpus holds, and what becomes of questions: asked once the widget is looked at.
  async greet() {
    if (!this.getAttribute("key")) return;
    const { strings, holdings } = this;
    try {
      const about = await this.client.json("v1/about");
      this.input.maxLength = about.max_question;
      const kept = about.questions_kept ? fill(strings.kept, about.kept_days) : strings.notKept;
      holdings.textContent = spaced(`${fill(strings.holdings, about.documents, about.pages)} ${kept}`);
    } catch (error) {
      holdings.textContent = error.message;
    }
  }

  drawQuestion(question) {
    const text = el("div", { class: "text", lang: "fr" });
    const wait = el("p", { class: "wait" }, this.strings.searching);
    const item = el("li", { class: "turn" }, el("h3", { lang: "fr" }, spaced(question)), wait, text);
    this.welcome.hidden = true;
    this.log.append(item);
    this.follow(item, true);
    return { item, text, wait };
  }

  drawAnswered(turn, answer) {
    const { strings } = this;
    const foot = el("div", { class: "foot" });
    turn.item.classList.add(answer.status);
    if (answer.fallback) foot.append(el("p", { class: "small" }, strings.fallback));
    if (answer.status === "answered") {
      foot.append(el("div", { class: "tools" },
        el("button", { type: "button", class: "quiet", onclick: () => this.copy(answer) }, strings.copy),
        this.rater(answer, 1, strings.useful, foot), this.rater(answer, -1, strings.useless, foot)));
    }
    if (answer.suggestions.length) foot.append(el("p", { class: "small" }, strings.next), this.chips(answer.suggestions));
    turn.item.append(foot);
  }

  drawFailed(turn, question, message) {
    turn.wait.remove();
    turn.item.append(el("p", { class: "error" }, spaced(message)),
      el("button", { type: "button", class: "quiet", onclick: () => { turn.item.remove(); this.input.focus(); this.ask(question); } }, this.strings.again));
    this.tell(message);
    this.follow(turn.item, true);
  }

  chips(questions) {
    return el("ul", { class: "chips" }, ...questions.map((question) =>
      el("li", {}, el("button", { type: "button", lang: "fr", onclick: () => { this.input.focus(); this.ask(question); } }, spaced(question)))));
  }

  caller(citations) {
    return (n) => {
      const citation = citations.find((c) => c.n === n);
      if (!citation) return null;
      const name = fill(this.strings.source, n, citation.title, citation.page_label);
      return el("button", { type: "button", class: "call", "aria-label": name, title: name, onclick: (e) => this.source.show(citation, e.currentTarget) }, String(n));
    };
  }

  rater(answer, rating, text, foot) {
    return el("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: (e) => this.rate(answer, rating, e.currentTarget, foot) }, text);
  }

  async rate(answer, rating, button, foot) {
    const { strings } = this;
    try {
      await this.client.post("v1/feedback", { answer_id: answer.id, rating });
    } catch (error) {
      return this.tell(error.message, foot);
    }
    button.parentElement.querySelectorAll("[aria-pressed]").forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
    foot.querySelector("form")?.remove();
    const comment = el("textarea", { rows: "2", maxlength: "2000" });
    const form = el("form", {
      class: "comment",
      onsubmit: async (event) => {
        event.preventDefault();
        const said = comment.value.trim();
        try {
          if (said) await this.client.post("v1/feedback", { answer_id: answer.id, rating, comment: said });
          form.replaceWith(el("p", { class: "small" }, strings.thanks));
          this.tell(strings.thanks);
          button.focus();
        } catch (error) {
          this.tell(error.message, foot);
        }
      },
    }, el("label", {}, strings.comment, comment), el("button", { class: "quiet" }, strings.sendComment));
    button.parentElement.after(form);
    this.tell(strings.thanks);
  }

  async copy(answer) {
    const text = copyText(answer, this.strings);
    let done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (!done) { // no permission, or a page without TLS
      const area = el("textarea", { class: "unseen" });
      area.value = text;
      const focused = this.shadowRoot.activeElement;
      this.panel.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      focused?.focus();
    }
    this.tell(done ? this.strings.copied : this.strings.notCopied, this.log.lastElementChild);
  }

  renew() {
    this.running?.abort();
    this.running = null;
    this.turns = [];
    this.store();
    this.source.close();
    this.log.replaceChildren();
    this.welcome.hidden = false;
    this.label();
    this.input.focus();
  }

  // --- what happens

  onSubmit(event) {
    event.preventDefault();
    if (this.running) return this.running.abort();
    const question = this.input.value;
    this.input.value = "";
    this.ask(question);
  }

  onKey(event) {
    event.stopPropagation(); // the page's own shortcuts aren't for what is typed here
    if (event.key === "Escape") this.onEscape(event);
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!this.running) this.onSubmit(event); // the key asks; only the button stops
  }

  onEscape(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    if (!this.source.close()) this.close();
  }

  label() {
    this.sender.textContent = this.running ? this.strings.stop : this.strings.send;
  }

  // Said to who can't see: one line after the other, so that each sentence is read once; `seen` shows it too.
  tell(text, seen) {
    while (this.status.childElementCount > 20) this.status.firstElementChild.remove();
    this.status.append(el("p", {}, text));
    if (!seen) return;
    seen.querySelector(".told")?.remove();
    seen.append(el("p", { class: "small told", "aria-hidden": "true" }, text));
  }

  follow(item, always = false) {
    const { body } = this;
    const near = body.scrollHeight - body.scrollTop - body.clientHeight < 160;
    if (always) body.scrollTop = item.offsetTop - 12;
    else if (near && item.offsetTop > body.scrollTop + 12) body.scrollTop = body.scrollHeight;
  }

  // --- what this tab keeps

  get place() {
    return `boussole-chat ${this.getAttribute("key") ?? ""}`.slice(0, 26);
  }

  stored() {
    try {
      this.kept = JSON.parse(sessionStorage.getItem(this.place) ?? "{}");
    } catch {
      this.kept = {};
    }
    return Array.isArray(this.kept.turns) ? this.kept.turns : [];
  }

  store() {
    this.kept = { turns: this.turns.slice(-20), open: this.mode === "bubble" && !this.panel.hidden };
    try {
      sessionStorage.setItem(this.place, JSON.stringify(this.kept));
    } catch {
      // full, or forbidden in this frame: the conversation goes on without being kept
    }
  }

  history() {
    return this.turns.slice(-TOLD).flatMap(({ question, answer }) => [
      { role: "user", content: question },
      { role: "assistant", content: answer.answer.slice(0, 4000) },
    ]);
  }
}

if (!customElements.get("boussole-chat")) customElements.define("boussole-chat", BoussoleChat);
