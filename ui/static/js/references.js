// An answer with its sources, in the forms that people paste elsewhere. Pure text in, pure text out.
import { pageOf, plain, quoted, when } from "./dom.js";

const absolute = (address) => new URL(address.replace(/^\//, ""), document.baseURI).href;
const link = (citation) => citation.source_url || absolute(`v1/documents/${encodeURIComponent(citation.document_id)}/file#page=${citation.page}`);
const escaped = (text) => text.replace(/([\\`*_{}[\]<>#|])/g, "\\$1");
const today = () => when(new Date().toISOString().slice(0, 10));

export const asText = (answer) => {
  const notes = answer.citations.map((c) => `[${c.n}] ${c.title}, ${pageOf(c)}\u00a0: ${quoted(c.quote)}`);
  return [answer.question, answer.answer, notes.join("\n")].filter(Boolean).join("\n\n");
};

export const asMarkdown = (answer) => {
  const text = answer.answer.replace(/\[(\d+)\]/g, "[^$1]");
  const notes = answer.citations.map((c) => `[^${c.n}]: ${escaped(quoted(c.quote))} [${escaped(c.title)}, ${pageOf(c)}](${link(c)})`);
  return [`## ${escaped(answer.question)}`, text, notes.join("\n")].filter(Boolean).join("\n\n");
};

// One reference a cited page, as a bibliography gives it.
export const asReferences = (answer, known) => {
  const pages = new Map();
  for (const citation of answer.citations) {
    const entry = pages.get(citation.document_id) ?? { citation, labels: [] };
    const label = citation.page_label || String(citation.page);
    if (!entry.labels.includes(label)) entry.labels.push(label);
    pages.set(citation.document_id, entry);
  }
  return [...pages.values()].map(({ citation, labels }) => {
    const held = known.find((d) => d.id === citation.document_id);
    const who = held?.authors?.length ? `${held.authors.join(", ")}. ` : "";
    const publisher = held?.authors?.includes(held.publisher) ? "" : held?.publisher; // named already
    const rest = [publisher, when(held?.date)].filter(Boolean).join(", ");
    return `${who}${plain(citation.title)}${rest ? `, ${rest}` : ""}, p.\u00a0${labels.join(", ")}. ${link(citation)} (consulté le ${today()}).`;
  }).join("\n");
};

export const conversationAsMarkdown = (turns) => {
  const numbered = turns.map((turn, at) => {
    // Notes are numbered across the whole file: [^1] of the second answer becomes [^2-1].
    const text = turn.answer ? asMarkdown(turn.answer) : `## ${escaped(turn.question)}\n\n*Sans réponse.*`;
    return turns.length > 1 ? text.replace(/\[\^(\d+)\]/g, `[^${at + 1}-$1]`) : text;
  });
  return `# Conversation avec Boussole 17, ${today()}\n\n${numbered.join("\n\n")}\n`;
};
