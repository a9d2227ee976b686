// Removes what an earlier build left, so that dist/ has nothing that src/ has not.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
