// A page of another origin, which has @rivulet/client in its own bundle, opens a channel, pays through the relayer and buys behind a paywall: what a dapp does.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHere, root } from '../scripts/resolve.mjs';
import { advance, equal, inBrowser, say, until, wallet, world } from './support.mjs';

const { outputFiles } = await build({ entryPoints: ['test/elsewhere-page.js'], bundle: true, write: false, format: 'esm', absWorkingDir: root, plugins: [fromHere] });
const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A dapp</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script></head>
<body><button id="open">Open</button><button id="pay">Pay</button><button id="buy">Buy</button><button id="close">Close</button><button id="finish">Finish</button><output></output><p id="heard"></p></body></html>`;
const listening = async (server) => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}`;
};
// Where a payment would go along. It lets any page in.
const heard = [];
const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
const thief = createServer(({ method, headers }, response) => {
  heard.push(`${method} ${headers['payment-signature']}`);
  response.writeHead(200, cors).end('stolen');
});
const away = await listening(thief);
const server = createServer(({ url }, response) => {
  if (url === '/articles/led') return response.writeHead(302, { location: away }).end();
  if (url === '/articles/1') return response.end('an article');
  const isScript = url === '/page.js';
  response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' }).end(isScript ? outputFiles[0].text : html);
});
const origin = await listening(server);
const probe = createServer();
const wall = await listening(probe);
await new Promise((resolve) => probe.close(resolve));
const folder = mkdtempSync(join(tmpdir(), 'rivulet-wall-'));
const flags = {
  upstream: origin, payee: world.payee, relayer: world.relayer, deployment: world.deployment, database: join(folder, 'paywall.db'), listen: new URL(wall).host,
  price: '/articles/*=0.03usdc', 'cors-origin': origin,
};
const paywall = spawn(world.rivulet, ['paywall', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])], { stdio: ['ignore', 'ignore', 'inherit'] });
[world.origins, world.walls] = [[origin, wall, away], [wall]];

try {
  await inBrowser(async (context) => {
    const asked = await wallet(context, world.payer_key);
    const page = await context.newPage();
    await page.goto(`${origin}/?relayer=${encodeURIComponent(world.relayer)}&payee=${world.payee}&wall=${encodeURIComponent(wall)}`);
    const says = (text) => until(text, async () => {
      const now = await page.locator('output').textContent();
      if (now.startsWith('failed')) throw new Error(now);
      return now === text;
    });
    await says('ready');
    await page.locator('#open').click();
    await says('open');
    const opened = asked.prompts;
    for (let n = 1; n <= 3; n += 1) {
      await page.locator('#pay').click();
      await says(`paid ${n * 30_000}`);
    }
    await until('the feed is heard across origins', async () => (await page.locator('#heard').textContent()) === '90000');
    await until('the paywall', async () => (await fetch(`${wall}/.well-known/rivulet/health`).catch(() => undefined))?.ok);
    await page.locator('#buy').click();
    await says('opaqueredirect, an article, paid 150000');
    equal('what the thief heard', heard.join(), '');
    equal('prompts to pay', asked.prompts, opened);
    await page.locator('#close').click();
    await says('closing');
    await until('the relayer claimed', async () => {
      const { tokens } = await (await fetch(`${world.relayer}/v1/payees/${world.payee}/earnings`)).json();
      return tokens[0]?.claimed === '150000';
    });
    await advance(61);
    await page.locator('#finish').click();
    await says('closed');
    say({ paid: 150_000n });
  });
} finally {
  paywall.kill();
  await new Promise((resolve) => (paywall.exitCode === null ? paywall.once('exit', resolve) : resolve()));
  rmSync(folder, { recursive: true });
  for (const one of [server, thief]) {
    one.closeAllConnections();
    one.close();
  }
}
