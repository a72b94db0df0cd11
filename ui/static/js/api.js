// What the page asks of the server, and its patience: a busy or restarting server is asked again, and the visitor is told.
import { wait } from "./dom.js";

const STARTING = "L’assistant ne répond pas. Réessayez dans quelques secondes.";
const LOST = "L’assistant est injoignable pour l’instant. Il redémarre peut-être\u00a0: réessayez dans quelques secondes.";
const EXPIRED = "Cette page est ouverte depuis longtemps. Rechargez-la pour continuer\u00a0: votre conversation sera gardée.";
const CUT = "La réponse s’est interrompue. Reposez votre question.";
const TRIES = 6;
const LONGEST = 30; // seconds between two tries

class Unanswered extends Error {
  constructor(message, again = 0) {
    super(message);
    this.again = again; // seconds after which asking again may help; 0: it won't
  }
}

const post = (path, body, signal, own = {}) =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json", ...own }, body: JSON.stringify(body), signal });

export const json = async (path, body = undefined) => {
  const response = await (body === undefined ? fetch(path) : post(path, body)).catch(() => null);
  return response?.ok ? response.json().catch(() => null) : null;
};

export const file = async (path, body) => {
  const response = await post(path, body).catch(() => null);
  return response?.ok ? response.blob() : null;
};

let held = null;
export const documents = () => {
  held ??= json("v1/documents").then((found) => {
    if (!found) held = null; // asked again next time
    return found?.documents ?? [];
  });
  return held;
};
export const forget = () => { held = null; };

const refused = async (response) => {
  if (response.status === 401) return new Unanswered(EXPIRED);
  const problem = await response.json().catch(() => ({}));
  const again = response.status === 429 || response.status === 503;
  return new Unanswered(problem.detail || STARTING, again ? Number(response.headers.get("Retry-After")) || 5 : 0);
};

const opened = async (body, signal, id) => {
  let response;
  try {
    response = await post("v1/ask", body, signal, { "X-Request-ID": id });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unanswered(LOST, 3);
  }
  if (!response.ok) throw await refused(response);
  return response;
};

// The events of an answer. `id` is the name under which the request waits in the queue; `waiting` is told the reason and the seconds left before each new try.
export async function* answers(body, signal, id, waiting) {
  let response;
  for (let tried = 1; !response; tried += 1) {
    try {
      response = await opened(body, signal, id);
    } catch (error) {
      if (!error.again || tried === TRIES) throw error;
      for (let left = Math.min(error.again, LONGEST); left > 0; left -= 1) {
        waiting(error.message, left);
        await wait(1000, signal);
      }
      waiting("", 0);
    }
  }
  let done = false;
  try {
    for await (const { event, data } of events(response.body)) {
      if (event === "error") throw new Unanswered(data.detail || STARTING);
      done ||= event === "done";
      yield { event, data };
    }
  } catch (error) {
    throw error instanceof TypeError ? new Unanswered(CUT) : error; // the connection broke
  }
  if (!done) throw new Unanswered(CUT);
}

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
