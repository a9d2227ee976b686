// The store in a folder: what it was given is there for the next program, and programs take turns.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type ErrorCode, RivuletError, memoryStore } from '../src/index.js';
import { fileStore } from '../src/node.js';

const refused = (code: ErrorCode) => (error: unknown) => error instanceof RivuletError && error.code === code;
let folder: string;
before(async () => void (folder = join(await mkdtemp(join(tmpdir(), 'rivulet-store-')), 'keys')));
after(() => rm(join(folder, '..'), { recursive: true }));

test('what was kept is there for the next program, and for this user alone', async () => {
  const store = fileStore(folder);
  assert.equal(await store.get('channel:0x1'), undefined);
  await store.set('channel:0x1', 'a');
  await store.set('channel:0x1', 'b');
  assert.equal(await fileStore(folder).get('channel:0x1'), 'b');
  assert.deepEqual(await readdir(folder), ['channel%3A0x1.json']);
  assert.equal((await stat(join(folder, 'channel%3A0x1.json'))).mode & 0o077, 0);
});

test('work for one key runs alone, in this program and among programs', async () => {
  const count = `
    import { fileStore } from ${JSON.stringify(new URL('../src/node.js', import.meta.url).href)};
    const store = fileStore(${JSON.stringify(folder)});
    for (let i = 0; i < 25; i++) await store.exclusive('count', async () => store.set('count', String(Number((await store.get('count')) ?? 0) + 1)));
  `;
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', count]);
  await Promise.all([run(), run(), run()]);
  assert.equal(await fileStore(folder).get('count'), '75');
  const memory = memoryStore();
  await Promise.all(Array.from({ length: 25 }, () => memory.exclusive('count', async () => memory.set('count', String(Number((await memory.get('count')) ?? 0) + 1)))));
  assert.equal(await memory.get('count'), '25');
});

test('work that fails lets the next one in', async () => {
  for (const store of [fileStore(folder), memoryStore()]) {
    await assert.rejects(store.exclusive('failing', async () => Promise.reject(new Error('no'))), /no/);
    assert.equal(await store.exclusive('failing', async () => 7), 7);
  }
});

test('the lock of a program that died is taken over, that of one that runs is not', async () => {
  const store = fileStore(folder, { patienceMs: 50 });
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', 'console.log(process.pid)']);
  await writeFile(join(folder, 'dead.json.lock'), `${stdout.trim()} 1`);
  assert.deepEqual(await Promise.all([store, fileStore(folder, { patienceMs: 50 })].map((one) => one.exclusive('dead', async () => 7))), [7, 7]);
  await writeFile(join(folder, 'stuck.json.lock'), `${stdout.trim()} 1`);
  await writeFile(join(folder, 'stuck.json.lock.over'), `${stdout.trim()} 1`);
  await assert.rejects(store.exclusive('stuck', async () => 7), /remove it/);
  await writeFile(join(folder, 'alive.json.lock'), `${process.ppid} 1`);
  await assert.rejects(store.exclusive('alive', async () => 7), refused('storage'));
});
