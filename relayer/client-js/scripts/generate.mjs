// Writes src/abi/*.ts from the released contracts' JSON ABI, so that TypeScript knows every call. `npm run generate`; `npm run fresh` only compares.

import { readFileSync, writeFileSync } from 'node:fs';

const isCheck = process.argv.includes('--check');
let stale = 0;
for (const kind of ['channels', 'streams']) {
  const abi = JSON.parse(readFileSync(new URL(`../../../deployments/bundles/${kind}.abi.json`, import.meta.url), 'utf8'));
  const rows = abi.map((item) => `  ${JSON.stringify(item)},`).join('\n');
  const text = `// Written by \`npm run generate\` from deployments/bundles/${kind}.abi.json.\nexport const ${kind}Abi = [\n${rows}\n] as const;\n`;
  const file = new URL(`../src/abi/${kind}.ts`, import.meta.url);
  if (!isCheck) {
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    stale += 1;
    console.error(`src/abi/${kind}.ts is not what deployments/bundles/${kind}.abi.json says: npm run generate`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;
