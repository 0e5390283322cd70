// Media made with an SDK of the `steps` form: painted, spoken, streamed, gone on from, and kept as files.
//
// Pictures and sounds are written into the folder in which this runs.

import { GoogleGenAI } from '@google/genai';
import { writeFileSync } from 'node:fs';

const [painter, speaker] = ['gemini-3-pro-image-preview', 'gemini-2.5-flash-preview-tts'];
const city = 'Generate an image of a futuristic city.';
const saying = 'Say the following: WOOHOO This is so much fun!.';
const client = new GoogleGenAI({});

// The one thing that was made, as it came; its bytes go into a file.
async function made(interaction, file) {
  const parts = interaction.steps.filter((step) => step.type === 'model_output').flatMap((step) => step.content);
  if (parts.length !== 1) throw new Error(`${parts.length} things were made`);
  const { type, mime_type, data, uri = null, sample_rate = null, channels = null } = parts[0];
  if (data) writeFileSync(file, Buffer.from(data, 'base64'));
  else await client.files.download({ file: uri, downloadPath: file });
  const convenient = interaction[`output_${type}`];
  const is_same = convenient !== undefined && convenient.data === data && (convenient.uri ?? null) === uri;
  return { type, mime_type, uri, sample_rate, channels, file, convenient: is_same };
}

// What came piece by piece, put together.
async function streamed(type, file, asked) {
  const deltas = [];
  for await (const event of await client.interactions.create({ ...asked, stream: true })) {
    if (event.event_type === 'step.delta') deltas.push(event.delta);
  }
  const pieces = deltas.filter((delta) => delta.type === type);
  writeFileSync(file, Buffer.concat(pieces.map((piece) => Buffer.from(piece.data, 'base64'))));
  const others = deltas.length - pieces.length;
  return { mime_type: pieces[0].mime_type, pieces: pieces.length, others, file };
}

function create(asked, before) {
  return client.interactions.create({ ...asked, ...(before ? { previous_interaction_id: before.id } : {}) });
}

function paint(input, { before, ...form } = {}) {
  const response_format = { type: 'image', mime_type: 'image/png', ...form };
  return create({ model: painter, input, generation_config: { seed: 7 }, response_format }, before);
}

function speak(input, { before, ...form } = {}) {
  const response_format = { type: 'audio', mime_type: 'audio/l16', ...form };
  const generation_config = { speech_config: [{ voice: 'kore', language: 'en-us' }] };
  return create({ model: speaker, input, generation_config, response_format }, before);
}

const house = await paint('A red house on a hill');
const said = await speak(saying);
const jpeg = { type: 'image', mime_type: 'image/jpeg' };
const pcm = { type: 'audio', mime_type: 'audio/l16' };

const report = {
  city: await made(await paint(city, { aspect_ratio: '16:9', image_size: '512' }), 'city.png'),
  streamed_city: await streamed('image', 'streamed.jpg', { model: painter, input: city, response_format: jpeg }),
  house: await made(house, 'house.png'),
  blue: await made(await paint('make it blue', { before: house }), 'blue.png'),
  kept: await made(await paint('A red house on a hill', { delivery: 'uri' }), 'kept.png'),
  said: await made(said, 'said.pcm'),
  slower: await made(await speak('Say it again, slower', { before: said }), 'slower.pcm'),
  wav: await made(await speak(saying, { mime_type: 'audio/wav', delivery: 'uri' }), 'said.wav'),
  streamed_speech: await streamed('audio', 'streamed.pcm', { model: speaker, input: saying, response_format: pcm }),
};
console.log(JSON.stringify(report));
