// The conversation of this tab, and of no other: sessionStorage, never the server.
const STORE = "boussole17.conversation";

export const conversation = { turns: [], filter: null };

export const restore = () => {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORE) || "{}");
    conversation.turns = Array.isArray(kept.turns) ? kept.turns.filter((t) => t && typeof t.question === "string") : [];
    conversation.filter = kept.filter?.id ? kept.filter : null;
  } catch {
    conversation.turns = [];
  }
};

export const save = () => {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(conversation));
  } catch {
    sessionStorage.removeItem(STORE); // full, or forbidden: the conversation goes on without being kept
  }
};

// What was said before, for the next question.
export const history = () =>
  conversation.turns.filter((turn) => turn.answer).slice(-6).flatMap((turn) => [
    { role: "user", content: turn.question },
    { role: "assistant", content: turn.answer.answer.slice(0, 4000) },
  ]);
