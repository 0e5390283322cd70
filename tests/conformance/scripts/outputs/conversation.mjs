// Conversations with an SDK of the `outputs` form: with the server's history, and with a history of one's own.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const client = new GoogleGenAI({});

function seen(interaction) {
  return {
    id: interaction.id,
    status: interaction.status,
    text: interaction.outputs.at(-1).text,
    model: interaction.model,
    role: interaction.role,
    previous_interaction_id: interaction.previous_interaction_id ?? null,
    total_tokens: interaction.usage.total_tokens,
  };
}

const first = await client.interactions.create({ model, input: 'Hi, my name is Phil.' });
const second = await client.interactions.create({
  model,
  input: 'What is my name?',
  previous_interaction_id: first.id,
});
const withInput = await client.interactions.get(second.id, { include_input: true });

const history = [{ role: 'user', content: 'What are the three largest cities in Spain?' }];
const cities = await client.interactions.create({ model, input: history });
history.push({ role: 'model', content: cities.outputs });
history.push({ role: 'user', content: 'What is the most famous landmark in the second one?' });
const landmark = await client.interactions.create({ model, input: history });

const report = {
  first: seen(first),
  second: seen(second),
  got: seen(await client.interactions.get(second.id)),
  got_with_input: { ...seen(withInput), input: JSON.stringify(withInput.input) },
  cities: seen(cities),
  landmark: seen(landmark),
};
console.log(JSON.stringify(report));
