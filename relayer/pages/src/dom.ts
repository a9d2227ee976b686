/** Elements without a framework. Text goes in as text: what a chain, a relayer or a URL says is never markup. */
import { explain } from './errors.js';

type Child = Node | string | undefined | false;
type Attributes = Readonly<Record<string, unknown>>;

function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
}

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

export function svg(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(element, attributes, children);
  return element;
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** Sets a text only when it changed: assistive technology reads out what is set. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A part of 0 to 1 as a custom property, for the style to make a width of. */
export function setPart(element: HTMLElement, part: number, name: string): void {
  element.style.setProperty(name, String(Math.max(0, Math.min(1, part))));
}

/** Keeps one element for each key, in order, whatever was there before: so that focus and what is being typed stay. */
export function keyed<T>(parent: Element, items: readonly T[], keyOf: (item: T) => string, make: (item: T) => Element): void {
  const before = new Map([...parent.children].map((child) => [(child as HTMLElement).dataset['key'], child]));
  const now = items.map((item) => {
    const key = keyOf(item);
    const known = before.get(key);
    if (known !== undefined) return known;
    const element = make(item) as HTMLElement;
    element.dataset['key'] = key;
    return element;
  });
  for (const child of [...parent.children]) if (!now.includes(child)) child.remove();
  now.forEach((element, i) => parent.children[i] !== element && parent.insertBefore(element, parent.children[i] ?? null));
}

/** A small picture of an address: two of them that look alike at both ends do not look alike here. */
export function avatar(address: string): SVGElement {
  const bytes = address.slice(2).match(/../g)?.map((pair) => parseInt(pair, 16)) ?? [];
  const at = (i: number) => bytes[i % Math.max(1, bytes.length)] ?? 0;
  const hue = at(0) + at(5) + at(13);
  const colour = (i: number) => `hsl(${(hue + i * 67 + at(9)) % 360} 62% ${48 + i * 7}%)`;
  const cells = [...Array(15).keys()].filter((i) => (at(i + 2) & 1) === 1).flatMap((i) => {
    const [x, y] = [Math.floor(i / 5), i % 5];
    const cell = (column: number) => svg('rect', { x: column, y, width: 1.02, height: 1.02, fill: colour(1 + ((at(i) >> 3) & 1)) });
    return x === 2 ? [cell(2)] : [cell(x), cell(4 - x)];
  });
  return svg('svg', { class: 'avatar', viewBox: '-1 -1 7 7', 'aria-hidden': 'true' }, svg('rect', { x: -1, y: -1, width: 7, height: 7, fill: colour(0), opacity: 0.28 }), ...cells);
}

/** An address, short, whole in its title; a press copies it. */
export function addressChip(address: string, { isLong = false } = {}): HTMLElement {
  const shown = isLong ? address : shortAddress(address);
  return h('button', {
    type: 'button', class: `chip${isLong ? ' long' : ''}`, title: `${address}: press to copy`, 'aria-label': `Copy ${address}`,
    onclick: () => void navigator.clipboard?.writeText(address).then(() => toast('Address copied.'), () => toast(address)),
  }, avatar(address), h('span', {}, shown));
}

export const shortAddress = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;

export function toast(text: string, kind: 'good' | 'bad' = 'good'): void {
  const element = h('p', { class: `toast ${kind}` }, text);
  byId('toasts').append(element);
  setTimeout(() => element.remove(), kind === 'good' ? 5_000 : 12_000);
}

/** A button that shows that it works, cannot be pressed twice, and whose trouble is said in `notice`. */
export function action(label: string, busy: string, notice: HTMLElement, work: () => Promise<void>, attributes: Attributes = {}): HTMLButtonElement {
  const text = h('span', {}, label);
  const button = h('button', { type: 'button', ...attributes }, text);
  button.addEventListener('click', () => void run(button, text, busy, notice, work));
  return button;
}

async function run(button: HTMLButtonElement, text: HTMLElement, busy: string, notice: HTMLElement, work: () => Promise<void>): Promise<void> {
  if (button.getAttribute('aria-disabled') === 'true') return;
  const label = text.textContent ?? '';
  button.setAttribute('aria-disabled', 'true');
  button.classList.add('busy');
  setText(text, busy);
  setText(notice, '');
  try {
    await work();
  } catch (error) {
    setText(notice, explain(error));
  } finally {
    button.removeAttribute('aria-disabled');
    button.classList.remove('busy');
    setText(text, label);
  }
}

/** Where the trouble of a form or card is said. */
export const noticeOf = (): HTMLElement => h('p', { class: 'notice', role: 'alert' });

/** A form whose submit button works as {@link action} does. */
export function form(label: string, busy: string, work: () => Promise<void>, fields: readonly Child[], attributes: Attributes = {}): HTMLFormElement {
  const [text, notice] = [h('span', {}, label), noticeOf()];
  const button = h('button', { type: 'submit', class: 'primary' }, text);
  const made = h('form', { novalidate: true, ...attributes }, ...fields, button, notice);
  made.addEventListener('submit', (event) => {
    event.preventDefault();
    void run(button, text, busy, notice, work);
  });
  return made;
}

let fields = 0;

/** A labelled control. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  const id = `field-${(fields += 1)}`;
  control.id = id;
  const said = hint === undefined ? undefined : h('small', { id: `${id}-hint` }, hint);
  if (said !== undefined) control.setAttribute('aria-describedby', said.id);
  return h('div', { class: 'field' }, h('label', { for: id }, label), control, said);
}

export function choice(options: readonly (readonly [value: string, label: string])[], chosen?: string, attributes: Attributes = {}): HTMLSelectElement {
  return h('select', attributes, ...options.map(([value, label]) => h('option', { value, selected: value === chosen }, label)));
}

/** Asks before something that cannot be taken back. */
export function sure(title: string, text: string, yes: string): Promise<boolean> {
  const close = (answer: string) => () => dialog.close(answer);
  const dialog = h('dialog', { 'aria-label': title },
    h('h2', {}, title), h('p', {}, text),
    h('div', { class: 'row end' }, h('button', { type: 'button', onclick: close('no') }, 'Leave it'), h('button', { type: 'button', class: 'primary', onclick: close('yes') }, yes)));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    }),
  );
}
