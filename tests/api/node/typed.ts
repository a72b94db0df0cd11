// A program of a partner: types made from /openapi.json by openapi-typescript, requests by openapi-fetch.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };
const [address, key] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${key}` } });

const asked = await client.POST("/v1/ask", { body: { question: "Qu’est-ce que la prime à l’alliance ?" } });
if (!asked.data) throw new Error(asked.error?.detail);
const answer = asked.data as components["schemas"]["Answer"]; // not asked as a stream
const status: "answered" | "abstained" | "refused" = answer.status;
const first: string | undefined = answer.citations?.[0]?.quote;

const found = await client.POST("/v1/search", { body: { query: "prime à l’alliance", k: 3 } });
const documents = await client.GET("/v1/documents");
const page = await client.GET("/v1/documents/{document_id}/pages/{number}", {
  params: { path: { document_id: documents.data!.documents[0].id, number: 1 } },
});
const chat = await client.POST("/v1/chat/completions", {
  body: { messages: [{ role: "user", content: "C’est quoi l’ODD 17 ?" }] },
});
const content: string = (chat.data as components["schemas"]["Completion"]).choices[0].message.content;
const models = await client.GET("/v1/models");
const opinion = await client.POST("/v1/feedback", { body: { answer_id: answer.id, rating: 1 } });
const missing = await client.GET("/v1/documents/{document_id}", { params: { path: { document_id: "nulle-part" } } });

console.log(JSON.stringify({
  status, first, passages: found.data?.passages.length, text: page.data?.text.length, content,
  model: models.data?.data[0].id, kept: opinion.data?.kept_days, missing: missing.error?.code,
}));
