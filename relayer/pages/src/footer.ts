/** How the relayer is, on every page. */
import { addressChip, byId, h, setText } from './dom.js';
import { type Setup, getJson } from './setup.js';

const EVERY_MS = 5_000;

interface Ready {
  readonly status: string;
  readonly is_claiming_paused: boolean;
  readonly is_draining: boolean;
  readonly open_intents: number;
  readonly worker: { readonly block_number: number | null; readonly error?: string };
}

/** What the relayer said last of its claims. */
export const claims = { isPaused: false, open: 0 };

export function footer({ deployment }: Setup): void {
  const dot = h('i', { class: 'dot' });
  const state = h('b', {});
  const block = h('span', {});
  const say = (kind: 'good' | 'warn' | 'bad', text: string) => {
    dot.className = `dot ${kind}`;
    setText(state, text);
  };
  const look = async () => {
    try {
      // 503 has the same fields, and says why.
      const ready = (await (await fetch('/ready')).json()) as Partial<Ready>;
      const { worker, status } = ready;
      Object.assign(claims, { isPaused: ready.is_claiming_paused === true, open: ready.open_intents ?? 0 });
      if (ready.is_draining === true) say('warn', 'Relayer takes nothing new');
      else if (status !== 'ready') say('bad', 'Relayer is not ready');
      else if (ready.is_claiming_paused === true) say('warn', 'Relayer has paused claims');
      else say('good', 'Relayer is ready');
      setText(block, typeof worker?.block_number === 'number' ? `block ${worker.block_number.toLocaleString('en')}` : '');
    } catch {
      say('bad', 'Relayer does not answer');
    }
  };
  say('warn', 'Asking the relayer');
  byId('footer').append(
    h('div', { class: 'foot-state' }, dot, state, h('span', {}, `network ${deployment.network}`), block),
    h('div', { class: 'foot-contracts' }, h('span', {}, 'Channels'), addressChip(deployment.channels.address), h('span', {}, 'Streams'), addressChip(deployment.streams.address)),
    h('div', { class: 'foot-links' }, h('a', { href: '/v1/openapi.json' }, 'API'), h('a', { href: '/v1/info' }, 'About this relayer'), h('a', { href: '/pages/licenses.txt' }, 'Licences')),
  );
  const again = async () => {
    if (!document.hidden) await look();
    setTimeout(() => void again(), EVERY_MS);
  };
  void look().then(() => setTimeout(() => void again(), EVERY_MS));
}

/** For pages that cannot begin: what is wrong, and a way to try again. */
export function cannotBegin(text: string): void {
  byId('main').replaceChildren(h('section', { class: 'card hero' }, h('h1', {}, 'This page cannot begin'), h('p', { role: 'alert' }, text),
    h('button', { type: 'button', class: 'primary', onclick: () => location.reload() }, 'Try again')));
}

export async function tryJson<T>(path: string): Promise<T> {
  return (await getJson(path)) as T;
}
