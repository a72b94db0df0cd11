// What one does with an answer: copy it with its sources, share its question, say what it is worth; export them all.
import { documents, file, json } from "./api.js";
import { $, announce, button, copied, download, icon, make } from "./dom.js";
import { asMarkdown, asReferences, asText, conversationAsMarkdown } from "./references.js";
import { conversation } from "./store.js";

const COPIES = [
  ["Texte et citations", (answer) => asText(answer)],
  ["Markdown", (answer) => asMarkdown(answer)],
  ["Référence bibliographique", async (answer) => asReferences(answer, await documents())],
];

export const menu = (label, picture, choices) => {
  const box = make("details", "b17-menu");
  const summary = make("summary", "b17-tool");
  summary.append(icon(picture), make("span", "", label));
  const list = make("div", "b17-choices");
  for (const [name, act] of choices) {
    list.append(button("", name, async () => {
      box.open = false;
      summary.focus();
      await act(summary);
    }));
  }
  box.append(summary, list);
  return box;
};

// A word in the place of the label, for a moment.
const said = (place, text) => {
  const label = place.querySelector("span");
  label.dataset.own ??= label.textContent;
  label.textContent = text;
  announce(text);
  setTimeout(() => { label.textContent = label.dataset.own; }, 3000);
};

const copy = async (text, place) => said(place, (await copied(text)) ? "Copié" : "Copie bloquée par le navigateur");

export const share = (question) => {
  const address = new URL(document.baseURI);
  address.search = new URLSearchParams({ q: question }).toString();
  address.hash = "";
  return address.href;
};

export const actions = (turn) => {
  const { answer, question } = turn;
  const row = make("div", "b17-actions");
  if (answer.citations.length) {
    row.append(menu("Copier", "copy", COPIES.map(([name, form]) => [name, async (place) => copy(await form(answer), place)])));
  }
  const link = button("b17-tool", "Copier le lien", () => copy(share(question), link), "link");
  link.title = "Le lien ne contient que la question";
  row.append(link, ...opinion(turn));
  return row;
};

// --- what the answer is worth

const opinion = (turn) => {
  const box = make("span", "b17-opinion");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Votre avis sur cette réponse");
  const more = make("form", "b17-comment");
  more.hidden = true;
  const thumbs = [[1, "up", "Réponse utile"], [-1, "down", "Réponse inutile"]].map(([rating, picture, name]) => {
    const thumb = make("button", "b17-tool");
    thumb.type = "button";
    thumb.append(icon(picture));
    thumb.setAttribute("aria-label", name);
    thumb.title = name;
    thumb.addEventListener("click", () => give(turn, rating, thumbs, more));
    return thumb;
  });
  press(thumbs, turn.rating);
  box.append(...thumbs);
  return [box, more];
};

const press = (thumbs, rating) =>
  thumbs.forEach((thumb, at) => thumb.setAttribute("aria-pressed", String(rating === [1, -1][at])));

const give = async (turn, rating, thumbs, more) => {
  const kept = await json("v1/feedback", { answer_id: turn.answer.id, rating });
  if (!kept) {
    more.hidden = false;
    more.replaceChildren(make("p", "b17-error", "Votre avis n’a pas pu être envoyé. Réessayez dans quelques secondes."));
    return;
  }
  turn.rating = rating;
  press(thumbs, rating);
  more.hidden = false;
  const field = make("label", "", rating > 0 ? "Merci. Qu’est-ce qui vous a aidé\u00a0? (facultatif)" : "Merci. Qu’est-ce qui ne va pas\u00a0? (facultatif)");
  const text = make("textarea");
  text.rows = 2;
  text.maxLength = 2000;
  field.append(text);
  const send = button("b17-chip", "Envoyer", () => more.requestSubmit());
  more.replaceChildren(field, make("p", "b17-meta", `N’écrivez rien de personnel. Votre avis est gardé ${kept.kept_days} jours, sans la conversation.`), send);
  more.onsubmit = async (event) => {
    event.preventDefault();
    const comment = text.value.trim();
    const sent = !comment || (await json("v1/feedback", { answer_id: turn.answer.id, rating, comment }));
    more.replaceChildren(make("p", sent ? "b17-meta" : "b17-error", sent ? "Merci, c’est noté." : "Le commentaire n’est pas parti. Réessayez plus tard."));
    announce("Merci, c’est noté.");
  };
  announce("Avis enregistré. Vous pouvez ajouter un commentaire.");
};

// --- the whole conversation

const EXPORTS = {
  markdown: async () => download("conversation-boussole17.md", new Blob([conversationAsMarkdown(conversation.turns)], { type: "text/markdown" })),
  docx: async () => {
    const made = await file("export.docx", { turns: conversation.turns.map(({ question, answer }) => ({ question, answer: answer ?? null })) });
    if (!made) throw new Error("Le document n’a pas pu être composé. Réessayez dans quelques secondes.");
    download("conversation-boussole17.docx", made);
  },
  print: async () => window.print(),
};

export const bindExports = () => {
  for (const choice of $("b17-export").querySelectorAll("[data-export]")) {
    choice.addEventListener("click", async () => {
      $("b17-export").open = false;
      $("b17-export").querySelector("summary").focus();
      await EXPORTS[choice.dataset.export]().catch((error) => said($("b17-export").querySelector("summary"), error.message));
    });
  }
  // A menu closes when one goes elsewhere.
  const others = (event) => document.querySelectorAll(".b17-menu[open]").forEach((box) => {
    if (!box.contains(event.target)) box.open = false;
  });
  document.addEventListener("click", others);
  document.addEventListener("focusin", others);
};
