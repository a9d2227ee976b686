/** For Node: a store in a folder. `import { fileStore } from '@rivulet/client/node'`. */
import { type FileHandle, link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RivuletError } from './errors.js';
import { type Store, queue } from './store.js';

const GLANCE_MS = 20;

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function synced(path: string, use: (file: FileHandle) => Promise<void>, flags: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await use(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Keeps a file a key in a folder that only this user can read. A value is on the disk before `set` resolves. Programs on one machine take turns by a lock file
 * with the holder's process id; that of a program that died is taken over after `patienceMs`.
 */
export function fileStore(folder: string, { patienceMs = 10_000 } = {}): Store {
  const path = (key: string) => join(folder, `${encodeURIComponent(key)}.json`);
  const alone = queue();

  async function take(lock: string): Promise<void> {
    const mine = `${lock}.${process.pid}`;
    await synced(mine, async (file) => void (await file.writeFile(String(process.pid))), 'w');
    try {
      for (const until = Date.now() + patienceMs; ; ) {
        try {
          return await link(mine, lock);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        }
        if (Date.now() > until) {
          const holder = Number(await readFile(lock, 'utf8').catch(() => 'NaN'));
          if (!Number.isInteger(holder) || isAlive(holder)) throw new RivuletError('storage', `${lock} is held by process ${holder}: stop that program, or give this one another folder`);
          await unlink(lock).catch(() => undefined);
        }
        await new Promise((resolve) => setTimeout(resolve, GLANCE_MS));
      }
    } finally {
      await unlink(mine);
    }
  }

  return {
    async get(key) {
      try {
        return await readFile(path(key), 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw new RivuletError('storage', `cannot read ${path(key)}`, { cause: error });
      }
    },
    async set(key, value) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const draft = `${path(key)}.new`;
      await synced(draft, async (file) => void (await file.writeFile(value)), 'w');
      await rename(draft, path(key));
      // The name too, not only the bytes.
      await synced(folder, async () => undefined, 'r');
    },
    exclusive: (key, work) =>
      alone(key, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const lock = `${path(key)}.lock`;
        await take(lock);
        try {
          return await work();
        } finally {
          await unlink(lock);
        }
      }),
  };
}
