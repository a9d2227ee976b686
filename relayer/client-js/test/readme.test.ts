// What the README shows is what the examples do, and they do it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { KEYS, World, account, webServer } from './support/index.js';

const PACKAGE = new URL('../../', import.meta.url).pathname;
let world: World;
let folder: string;
before(async () => {
  world = await World.start();
  folder = await mkdtemp(join(tmpdir(), 'rivulet-example-'));
  writeFileSync(join(folder, 'dev.json'), JSON.stringify(world.deploymentJson));
});
after(async () => {
  await world.stop();
  await rm(folder, { recursive: true });
});

async function run(name: string, more: Record<string, string> = {}): Promise<string> {
  const shown = readFileSync(`${PACKAGE}README.md`, 'utf8');
  const example = `${PACKAGE}examples/${name}`;
  assert.ok(shown.includes(`\`\`\`js\n${readFileSync(example, 'utf8')}\`\`\``), `README.md shows another examples/${name}`);
  const env = { ...process.env, RPC: world.ethUrl, DEPLOYMENT: join(folder, 'dev.json'), KEY: KEYS.alith, PAYEE: account('dorothy').address, ...more };
  return (await promisify(execFile)(process.execPath, [example], { cwd: folder, env })).stdout;
}

test('a channel is opened and paid from', async () => {
  assert.match(await run('pay.mjs', { RELAYER: await world.relayer() }), /^channel 1\/0: 0\.01dot of 5dot paid\n$/);
});

test('a stream ticks', async () => {
  const lines = (await run('stream.mjs')).trim().split('\n');
  assert.ok(lines.length >= 4 && lines.every((line) => /^0(\.\d+)?usdc earned$/.test(line)), lines.join('\n'));
  assert.ok(new Set(lines).size > 2, 'it grows');
});

test('what is missing or does not answer is said in a line, with 2 as the exit code', async () => {
  const said = async (name: string, more: Record<string, string>): Promise<string> => {
    const failed = (await run(name, more).then(() => undefined, (error: unknown) => error)) as { code: number; stderr: string } | undefined;
    assert.deepEqual([failed?.code, failed?.stderr.trim().split('\n').length], [2, 1], failed?.stderr);
    return failed!.stderr;
  };
  const gone = 'http://127.0.0.1:65531';
  const silent = /^nothing answers at 127\.0\.0\.1:65531: .*`rivulet dev`/;
  const cases: [name: string, more: Record<string, string>, expected: RegExp][] = [
    ...['pay.mjs', 'buy.mjs', 'stream.mjs'].flatMap((name): typeof cases => [
      [name, { DEPLOYMENT: join(folder, 'none.json') }, /^DEPLOYMENT: .*none\.json.*`rivulet dev`/],
      [name, { RPC: gone }, silent],
    ]),
    ['pay.mjs', { RELAYER: gone }, silent],
    ['buy.mjs', { PAGE: `${gone}/a` }, silent],
    ['pay.mjs', { KEY: '0x1' }, /^KEY: /],
  ];
  await Promise.all(cases.map(async ([name, more, expected]) => assert.match(await said(name, more), expected)));
  // Money has no defaults elsewhere.
  const elsewhere = join(folder, 'elsewhere.json');
  writeFileSync(elsewhere, JSON.stringify({ ...(world.deploymentJson as object), network: 'elsewhere' }));
  const rest = { ...process.env, DEPLOYMENT: elsewhere };
  const failed = (await promisify(execFile)(process.execPath, [`${PACKAGE}examples/pay.mjs`], { cwd: folder, env: rest }).catch((error: unknown) => error)) as { code: number; stderr: string };
  assert.deepEqual([failed.code, failed.stderr.slice(0, 5)], [2, 'KEY: ']);
});

test('an article is bought', async () => {
  const web = await webServer();
  const payee = account('dorothy').address;
  const url = await world.paywall({ upstream: web.url, payee, relayer: await world.relayer(), prices: ['/articles/*=0.10usdc'] });
  const page = `${url}/articles/1`;
  assert.equal(await run('buy.mjs', { PAGE: page }), `0.1usdc for ${page}\n200 page /articles/1\n`);
  await web.close();
});
