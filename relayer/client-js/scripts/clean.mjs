// Removes what an earlier build left, so that nothing is there that src/ has not: `node scripts/clean.mjs dist`.
import { rmSync } from 'node:fs';

const [folder] = process.argv.slice(2);
if (!['dist', '.tests'].includes(folder)) throw new Error(`expected dist or .tests, given ${folder}`);
rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true });
