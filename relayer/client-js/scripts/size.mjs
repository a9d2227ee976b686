// How many bytes a page gets: dist/index.js minified and gzipped, without and with viem.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const entry = new URL('../dist/index.js', import.meta.url).pathname;
for (const [what, external] of [['viem not counted', ['viem', 'viem/*']], ['with viem', []]]) {
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, minify: true, format: 'esm', platform: 'browser', write: false, external });
  const bytes = outputFiles[0].contents;
  console.log(`${what}: ${bytes.length} B minified, ${gzipSync(bytes, { level: 9 }).length} B gzipped`);
}
