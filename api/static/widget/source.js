// The cited page: its picture with the quote in yellow, or its text. It takes the focus, and gives it back.
class Source {
  constructor(chat) {
    this.chat = chat;
    this.element = el("aside", { class: "source", tabindex: "-1", hidden: true });
    this.back = null;
  }

  async show(citation, from) {
    const { strings } = this.chat;
    this.back = from;
    this.citation = citation;
    const quote = citation.quote.replace(/\s+/g, " ").trim();
    this.stage = el("div", { class: "stage", tabindex: "0", role: "group", "aria-label": fill(strings.page, citation.page_label) });
    this.toggle = el("button", { type: "button", class: "quiet", onclick: () => this.swap() }, strings.readPage);
    this.zoom = el("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => this.enlarge() }, strings.enlarge);
    const address = webAddress(citation.source_url);
    this.element.setAttribute("aria-label", fill(strings.source, citation.n, citation.title, citation.page_label));
    this.element.replaceChildren(
      el("header", {},
        el("h3", { lang: "fr" }, spaced(citation.title)),
        el("button", { type: "button", class: "icon", "aria-label": strings.closeSource, onclick: () => this.close() }, "×")),
      el("p", { class: "where", lang: "fr" }, fill(strings.page, citation.page_label) + (citation.section ? ` · ${spaced(citation.section)}` : "")),
      el("blockquote", { lang: "fr" }, spaced(`${strings.quote[0]}${quote}${strings.quote[1]}`)),
      el("div", { class: "tools" }, this.toggle, this.zoom,
        el("button", { type: "button", class: "quiet", onclick: () => this.download() }, strings.download),
        address && el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, strings.original)),
      this.stage);
    this.element.hidden = false;
    this.element.focus();
    await this.picture();
  }

  close() {
    if (this.element.hidden) return false;
    this.element.hidden = true;
    this.element.replaceChildren();
    this.citation = null;
    this.back?.focus();
    return true;
  }

  async picture() {
    const { strings, client } = this.chat;
    const citation = this.citation;
    this.pictured = true;
    this.stage.replaceChildren(el("p", {}, strings.loading));
    try {
      const [bitmap, found] = await Promise.all([
        client.picture(citation),
        client.json(`${citation.page_url}/highlight?quote=${encodeURIComponent(citation.quote)}`).catch(() => null),
      ]);
      if (citation !== this.citation) return;
      const canvas = el("canvas", { role: "img", "aria-label": fill(strings.picture, citation.page_label, citation.title) });
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      this.stage.replaceChildren(canvas);
      const [, top] = found?.boxes?.[0] ?? [0, 0];
      this.stage.scrollTop = Math.max(0, top * canvas.clientHeight - this.stage.clientHeight / 3);
    } catch (error) {
      if (citation !== this.citation) return;
      if (error.status === 404) await this.text(); // not a PDF: its text is all there is
      else this.stage.replaceChildren(el("p", { class: "error" }, error.message || strings.failed));
    }
  }

  async text() {
    const citation = this.citation;
    this.pictured = false;
    try {
      const page = await this.chat.client.json(citation.page_url);
      if (citation !== this.citation) return;
      const at = page.text.indexOf(citation.quote);
      const marked = at < 0 ? [page.text]
        : [page.text.slice(0, at), el("mark", {}, citation.quote), page.text.slice(at + citation.quote.length)];
      this.stage.replaceChildren(el("div", { class: "page-text", lang: "fr" }, ...marked));
      this.stage.querySelector("mark")?.scrollIntoView({ block: "center" });
    } catch (error) {
      if (citation === this.citation) this.stage.replaceChildren(el("p", { class: "error" }, error.message));
    }
  }

  async swap() {
    const { strings } = this.chat;
    this.toggle.textContent = this.pictured ? strings.seePage : strings.readPage;
    this.zoom.hidden = this.pictured;
    await (this.pictured ? this.text() : this.picture());
  }

  enlarge() {
    const { strings } = this.chat;
    const large = this.stage.classList.toggle("large");
    this.zoom.setAttribute("aria-pressed", String(large));
    this.zoom.textContent = large ? strings.reduce : strings.enlarge;
  }

  async download() {
    const { client } = this.chat;
    const id = this.citation.document_id;
    try {
      const response = await client.call(`v1/documents/${encodeURIComponent(id)}/file`);
      const name = /filename="?([\w. -]+)"?/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? `${id}.pdf`;
      const url = URL.createObjectURL(await response.blob());
      el("a", { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      this.chat.tell(error.message);
    }
  }
}
