// Media shown with an SDK of the `steps` form: inline, by address and uploaded; sound that is heard, and refused.
//
//     node shown_media.mjs EXHIBITS ADDRESS

import { GoogleGenAI } from '@google/genai';
import { readFileSync } from 'node:fs';

const [model, ears, painter] = ['gemini-3-flash-preview', 'ears', 'gemini-3-pro-image-preview'];
const [exhibits, address] = process.argv.slice(2);
const client = new GoogleGenAI({});

function words(interaction) {
  const parts = interaction.steps.at(-1).content;
  return parts.filter((part) => part.type === 'text').map((part) => part.text).join('');
}

async function ask(question, media, asked = model) {
  return words(await client.interactions.create({ model: asked, input: [{ type: 'text', text: question }, media] }));
}

function inline(type, file, mime_type) {
  return { type, data: readFileSync(`${exhibits}/${file}`).toString('base64'), mime_type };
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return { error: error.constructor.name, status: error.status ?? error.statusCode, message: error.message };
  }
  return null;
}

const file = await client.files.upload({ file: `${exhibits}/report.pdf`, config: { mimeType: 'application/pdf' } });
const recording = inline('audio', 'dialogue.wav', 'audio/wav');
const response_format = { type: 'image', mime_type: 'image/png' };
const house = await client.interactions.create({ model: painter, input: 'A red house on a hill', response_format });
const after = { model, input: 'What was in the picture?', previous_interaction_id: house.id };

const report = {
  image: await ask('When does the ferry to Skagen leave?', inline('image', 'notice.png', 'image/png')),
  remote: await ask('Describe what you see.', { type: 'image', uri: `${address}/cats-and-dogs.jpg` }),
  document: await ask('Who is the director of the waterworks?', { type: 'document', uri: file.uri }),
  video: await ask('What is the last station?', inline('video', 'journey.mp4', 'video/mp4')),
  heard: await ask('What does this audio say?', recording, ears),
  not_heard: await refusal(() => ask('What does this audio say?', recording)),
  asked_after: words(await client.interactions.create(after)),
};
console.log(JSON.stringify(report));
