// The official client, as its documentation uses it, against the server at argv[2] with the key argv[3].
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: process.argv[3], maxRetries: 0 });
const messages = [{ role: "user", content: "Combien de catalyseurs territoriaux ont émergé en France ?" }];
const told = {};

const plain = await client.chat.completions.create({ model: "boussole-17", messages, temperature: 0.2, seed: 1 });
told.plain = plain.choices[0].message.content;
told.citations = plain.choices[0].message.citations.length;
told.usage = plain.usage.total_tokens;

const stream = await client.chat.completions.create({
  model: "boussole-17", messages, stream: true, stream_options: { include_usage: true },
});
told.streamed = "";
for await (const chunk of stream) {
  told.streamed += chunk.choices[0]?.delta?.content ?? "";
  if (chunk.usage) told.streamUsage = chunk.usage.total_tokens;
}

const runner = client.chat.completions.stream({ model: "boussole-17", messages });
told.final = (await runner.finalChatCompletion()).choices[0].message.content;

told.models = [];
for await (const model of client.models.list()) told.models.push(model.id);
told.model = (await client.models.retrieve("boussole-17")).id;

try {
  await client.chat.completions.create({ model: "boussole-17", messages: [] });
} catch (error) {
  told.error = [error.constructor.name, error.status, error.code];
}
try {
  await new OpenAI({ baseURL: client.baseURL, apiKey: "sk_wrong", maxRetries: 0 }).models.list();
} catch (error) {
  told.denied = [error.constructor.name, error.status];
}
console.log(JSON.stringify(told));
