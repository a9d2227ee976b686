/** For Node: a store in a folder. `import { fileStore } from '@rivulet/client/node'`. */
import { randomUUID } from 'node:crypto';
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

/** Gives a file a second name, if nothing has that name yet: the one step that no two programs can both take. */
async function linked(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
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

  const holderOf = (lock: string) => readFile(lock, 'utf8').catch(() => undefined);

  /** Removes the lock of a program that died. Alone, or of two who do so at once the second would remove the first one's new lock. */
  async function takeOver(lock: string, mine: string, dead: string): Promise<void> {
    const over = `${lock}.over`;
    // Somebody else is at it.
    if (!(await linked(mine, over))) return;
    try {
      if ((await holderOf(lock)) === dead) await unlink(lock);
    } finally {
      await unlink(over);
    }
  }

  async function take(lock: string): Promise<void> {
    const holder = `${process.pid} ${randomUUID()}`;
    const mine = `${lock}.${holder.replace(' ', '.')}`;
    await synced(mine, async (file) => void (await file.writeFile(holder)), 'w');
    try {
      let [seen, until] = [undefined as string | undefined, 0];
      while (!(await linked(mine, lock))) {
        const now = await holderOf(lock);
        if (now !== seen) [seen, until] = [now, Date.now() + patienceMs];
        else if (now !== undefined && Date.now() > until) {
          const pid = Number(now.split(' ')[0]);
          if (!Number.isInteger(pid) || isAlive(pid)) throw new RivuletError('storage', `${lock} is held by process ${pid}: stop that program, or give this one another folder`);
          if (Date.now() > until + patienceMs) throw new RivuletError('storage', `${lock} cannot be taken over from process ${pid}, which is gone: remove it, and ${lock}.over`);
          await takeOver(lock, mine, now);
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
