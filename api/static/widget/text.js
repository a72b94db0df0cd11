// Text of the server as elements. Nothing here reads HTML: each piece is set as text.
const el = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null).map((child) => (typeof child === "string" ? tame(child) : child)));
  return element;
};

// Without the marks that turn the direction of what follows: a title must not rewrite the words beside it.
const tame = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

// French spacing, for display: what precedes « : ; ? ! » never begins a line.
const spaced = (text) => tame(text).replace(/ (?=[:;?!»])/g, "\u00a0").replace(/« /g, "«\u00a0");

// An answer cut in blocks: paragraphs, and runs of list items.
const blocksOf = (text) => {
  const blocks = [];
  for (const line of text.split("\n")) {
    const item = /^\s*(?:[-•*]|(\d{1,3})[.)])\s+(.*)$/.exec(line);
    const kind = item ? (item[1] ? "ol" : "ul") : "p";
    const last = blocks.at(-1);
    if (!line.trim()) blocks.push(null);
    else if (last && last.kind === kind) last.lines.push(item ? item[2] : line);
    else blocks.push({ kind, lines: [item ? item[2] : line], start: item?.[1] });
  }
  return blocks.filter(Boolean);
};

// Draw `text` into `home`; blocks that haven't changed are left alone, so that the focus stays where it is.
const drawAnswer = (home, text, call) => {
  blocksOf(text).forEach((block, at) => {
    const source = JSON.stringify(block);
    const there = home.children[at];
    if (there?.source === source) return;
    const drawn = el(block.kind, block.start ? { start: block.start } : {});
    const inline = (into, line) => into.append(...inlineOf(line, call));
    if (block.kind === "p") inline(drawn, block.lines.join(" "));
    else for (const line of block.lines) inline(drawn.appendChild(el("li")), line);
    drawn.source = source;
    if (there) there.replaceWith(drawn);
    else home.append(drawn);
  });
};

// Words, **strong** words, and the calls [1]; `call` gives a citation's button, or null where there is none.
const inlineOf = (line, call) =>
  line.split(/(\*\*[^*]+\*\*|\S{0,24}(?:\s+[:;?!»])?(?:\s*\[\d{1,3}\])+)/).map((piece) => {
    if (/\[\d{1,3}\]$/.test(piece)) return el("span", { class: "kept" }, ...called(piece, call));
    const strong = /^\*\*([^*]+)\*\*$/.exec(piece);
    return strong ? el("strong", {}, spaced(strong[1])) : spaced(piece);
  });

// A word and the numbers that follow it, which never begin a line.
const called = (text, call) =>
  text.replace(/\s+(?=\[\d)/g, "\u00a0").split(/(\[\d{1,3}\])/).filter(Boolean).map((piece) => {
    const number = /^\[(\d+)\]$/.exec(piece);
    return (number && call(Number(number[1]))) || spaced(piece);
  });

const withoutCalls = (text) => text.replace(/\s*\[\d{1,3}\]/g, "").replace(/^\s*[-•]\s+/gm, "");

// The answer and its sources, to paste elsewhere.
const copyText = (answer, strings) => {
  const notes = answer.citations.map((c) => {
    const address = webAddress(c.source_url);
    const quote = c.quote.replace(/\s+/g, " ").trim();
    return `[${c.n}] ${c.title}, p. ${c.page_label} : ${strings.quote[0]}${quote}${strings.quote[1]}${address ? ` ${address}` : ""}`;
  });
  return notes.length ? `${answer.answer}\n\n${strings.sources}\n${notes.join("\n")}` : answer.answer;
};

// An address that may be a link: never javascript:, data: or a relative one.
const webAddress = (given) => {
  try {
    const url = new URL(given);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
};
