// A page of another origin, which has @rivulet/client in its own bundle, opens a channel and pays through the relayer: what a dapp does.
import { build } from 'esbuild';
import { createServer } from 'node:http';
import { fromHere, root } from '../scripts/resolve.mjs';
import { advance, equal, inBrowser, say, until, wallet, world } from './support.mjs';

const { outputFiles } = await build({ entryPoints: ['test/elsewhere-page.js'], bundle: true, write: false, format: 'esm', absWorkingDir: root, plugins: [fromHere] });
const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A dapp</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script></head>
<body><button id="open">Open</button><button id="pay">Pay</button><button id="close">Close</button><button id="finish">Finish</button><output></output><p id="heard"></p></body></html>`;
const server = createServer(({ url }, response) => {
  const isScript = url === '/page.js';
  response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' }).end(isScript ? outputFiles[0].text : html);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
world.origins = [origin];

try {
  await inBrowser(async (context) => {
    const asked = await wallet(context, world.payer_key);
    const page = await context.newPage();
    await page.goto(`${origin}/?relayer=${encodeURIComponent(world.relayer)}&payee=${world.payee}`);
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
    equal('prompts to pay', asked.prompts, opened);
    await until('the feed is heard across origins', async () => (await page.locator('#heard').textContent()) === '90000');
    await page.locator('#close').click();
    await says('closing');
    await until('the relayer claimed', async () => {
      const { tokens } = await (await fetch(`${world.relayer}/v1/payees/${world.payee}/earnings`)).json();
      return tokens[0]?.claimed === '90000';
    });
    await advance(61);
    await page.locator('#finish').click();
    await says('closed');
    say({ paid: 90_000n });
  });
} finally {
  server.close();
}
