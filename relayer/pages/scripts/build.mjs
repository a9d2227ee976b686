// Makes built/ from src/ and the JavaScript client: `npm run build`; `npm run fresh` only compares, byte for byte. The relayer has these files in its program.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { fromHere, root } from './resolve.mjs';

const isCheck = process.argv.includes('--check');

const options = { bundle: true, minify: true, write: false, metafile: true, legalComments: 'none', absWorkingDir: root, target: ['es2022', 'chrome120', 'firefox121', 'safari17'] };
const script = await build({ ...options, entryPoints: ['src/app.ts'], outfile: 'app.js', format: 'esm', platform: 'browser', plugins: [fromHere] });
const style = await build({ ...options, entryPoints: ['src/app.css'], outfile: 'app.css' });

/** The licence of every package of which something is in the script, by name. */
function licenses() {
  const inputs = Object.keys(script.metafile.inputs).flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? []);
  const folders = new Map(inputs.flatMap((match, i) => (i % 2 === 0 ? [[inputs[i + 1], join(root, match)]] : [])));
  const parts = [...folders].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, folder]) => {
    const { license, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    // Three of them come without the text of the licence that they name.
    const text = file === undefined ? `${license} licence, as the package says.` : readFileSync(join(folder, file), 'utf8').trim();
    return `${name} ${version} (${license})\n\n${text}`;
  });
  return [`Rivulet's pages are under the Apache License 2.0. Their script contains parts of these packages.`, ...parts].join(`\n\n${'-'.repeat(80)}\n\n`) + '\n';
}

/** Both pages are one text, but for what they are called and which of the two links is theirs. */
function page(name, title, path) {
  const text = readFileSync(join(root, 'src/page.html'), 'utf8');
  const changes = [['"PAGE"', `"${name}"`], ['TITLE', title], [`<a href="${path}">`, `<a aria-current="page" href="${path}">`]];
  return changes.reduce((made, [from, to]) => {
    if (made.split(from).length !== 2) throw new Error(`src/page.html: expected ${from} once`);
    return made.replace(from, to);
  }, text);
}

const files = {
  'app.js': script.outputFiles[0].text,
  'app.css': style.outputFiles[0].text,
  'index.html': page('creator', 'Earnings', '/'),
  'pay.html': page('payer', 'Pay', '/pay'),
  'icon.svg': readFileSync(join(root, 'src/icon.svg'), 'utf8'),
  'licenses.txt': licenses(),
};
for (const [name, text] of Object.entries(files)) {
  const path = join(root, 'built', name);
  if (!isCheck) {
    writeFileSync(path, text);
    console.log(`built/${name}: ${Buffer.byteLength(text)} bytes`);
  } else if (readFileSync(path, 'utf8') !== text) {
    process.exitCode = 1;
    console.error(`built/${name} is not what the sources give: run scripts/build pages and commit the result`);
  }
}
