// The client's sources lie in another package: what they import is taken from this one, so that its lock file says all.
import { join } from 'node:path';

export const root = new URL('..', import.meta.url).pathname;
const client = join(root, '../client-js/src/index.ts');

export const fromHere = {
  name: 'from-here',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@rivulet\/client$/ }, () => ({ path: client }));
    onResolve({ filter: /^viem($|\/)/ }, ({ path, kind, pluginData }) =>
      pluginData === 'here' ? undefined : resolve(path, { kind, resolveDir: root, pluginData: 'here' }),
    );
  },
};
