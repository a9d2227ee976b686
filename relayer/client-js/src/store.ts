import { RivuletError } from './errors.js';

/** Where totals and keys are kept. What {@link set} was given must outlast the program, or a payer forgets what it has promised. */
export interface Store {
  get(key: string): Promise<string | undefined>;
  /** Durable before it resolves. */
  set(key: string, value: string): Promise<void>;
  /** Runs work that nobody else who shares this storage runs at the same time for the same key. */
  exclusive<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** One after another within this program. */
export function queue(): Store['exclusive'] {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const result = (last.get(key) ?? Promise.resolve()).then(work);
    const settled = result.catch(() => undefined);
    last.set(key, settled);
    void settled.then(() => last.get(key) === settled && last.delete(key));
    return result;
  };
}

/** Keeps nothing beyond this program: for tests, and for channels that are closed when it ends. */
export function memoryStore(): Store {
  const kept = new Map<string, string>();
  return { get: async (key) => kept.get(key), set: async (key, value) => void kept.set(key, value), exclusive: queue() };
}

/** Keeps in the page's `localStorage`, which every tab of the site shares; tabs take turns by the browser's locks. */
export function browserStore(prefix = 'rivulet:'): Store {
  const { localStorage, navigator } = globalThis;
  if (localStorage === undefined || navigator?.locks === undefined) {
    throw new RivuletError('storage', 'this browser has no localStorage or no locks (pages need https): give another Store');
  }
  return {
    get: async (key) => localStorage.getItem(prefix + key) ?? undefined,
    set: async (key, value) => localStorage.setItem(prefix + key, value),
    exclusive: (key, work) => navigator.locks.request(prefix + key, work) as Promise<Awaited<ReturnType<typeof work>>>,
  };
}
