// A conversation that begins here, or goes on here from the interaction named as argument, in the `outputs` form.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const client = new GoogleGenAI({});

function textOf(interaction) {
  return interaction.outputs.at(-1).text;
}

function seen(interaction) {
  return { id: interaction.id, status: interaction.status, text: textOf(interaction) };
}

async function begin() {
  return { said: seen(await client.interactions.create({ model, input: 'Hi, my name is Phil.' })) };
}

async function goOn(before) {
  const read = await client.interactions.get(before);
  const said = await client.interactions.create({
    model,
    input: 'What is my name?',
    previous_interaction_id: before,
  });
  return { read: seen(read), said: seen(said) };
}

const before = process.argv[2];
console.log(JSON.stringify(before ? await goOn(before) : await begin()));
