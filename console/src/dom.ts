/** Makes elements without parsing markup, so that texts of users can never become elements. */

type Child = Node | string | number | null | undefined | false;
type Attribute = string | number | boolean | undefined;
type Handlers = { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };

/** Attributes by name (`true` sets an empty one, `false` and `undefined` remove it), and `on`, the event handlers. */
export type Properties = { on?: Handlers | undefined } & { [name: string]: Attribute | Handlers };

/** Makes an element. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, properties: Properties = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  set(element, properties);
  element.append(...children.filter(isPresent).map((child) => (typeof child === 'number' ? String(child) : child)));
  return element;
}

const isPresent = (child: Child): child is Node | string | number => child !== null && child !== undefined && child !== false;

/** Sets the attributes of an element, and adds handlers. */
export function set(element: Element, { on = {}, ...attributes }: Properties): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [type, handler] of Object.entries(on)) element.addEventListener(type, handler as EventListener);
}

const svg = 'http://www.w3.org/2000/svg';

/** The paths of the icons, in a viewBox of 20 by 20. */
const icons = {
  add: 'M10 4v12M4 10h12',
  archive: 'M3 4h14v4H3ZM4.500 8v8.500h11V8M8 11.500h4',
  back: 'm12 4-6 6 6 6',
  ban: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM5 5l10 10',
  bell: 'M3.500 15 5 13.500V9a5 5 0 0 1 10 0v4.500l1.500 1.500ZM8.500 17.500h3',
  'bell-off': 'M5 9.500v4L3.500 15H14M6.500 5.500A5 5 0 0 1 15 9v4M8.500 17.500h3M3.500 3l13 14.500',
  book: 'M4 4.5C6 3.6 8 3.6 10 5c2-1.4 4-1.4 6-.5V15.500c-2-.9-4-.9-6 .5-2-1.4-4-1.4-6-.5ZM10 5v11',
  check: 'm4 10.5 4 4 8-9',
  checks: 'm1.5 10.5 4 4 8-9M9 13.800l.8.7 8-9',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4l2.5 2',
  close: 'm5 5 10 10M15 5 5 15',
  code: 'm7 6-4 4 4 4M13 6l4 4-4 4',
  copy: 'M7 7V4h9v9h-3M4 7h9v9H4Z',
  down: 'M10 4v12M5 11l5 5 5-5',
  edit: 'm12.5 4.5 3 3L7 16H4v-3ZM10.5 6.500l3 3',
  gather: 'M8 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM3 16c0-3 2-4.500 5-4.500 1.200 0 2.200.2 3 .7M15 11.500v6M12 14.500h6',
  key: 'M13 11a4 4 0 1 0-3.600-2.300L3 15v2.500h3V15h2.500v-2.500l1.900-1.900c.8.3 1.700.4 2.600.4ZM13.500 6.500v.1',
  leave: 'M8 4H4v12h4M12.500 6.500 16 10l-3.500 3.500M16 10H8',
  moon: 'M16 12A6.5 6.5 0 0 1 8 4a6.5 6.5 0 1 0 8 8Z',
  people: 'M7.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM2.5 16c0-3 2-4.500 5-4.500s5 1.500 5 4.500M13 9.300a2.200 2.200 0 1 0 0-4.400M14.800 11.900c1.800.5 2.700 1.900 2.700 4.100',
  reply: 'M8 5 3 10l5 5M3 10h8c4 0 6 2 6 5',
  retry: 'M15.5 8A6 6 0 1 0 16 11M16 4v4h-4',
  search: 'M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12ZM13.5 13.5 17 17',
  send: 'M3.5 10 16.5 4l-4 13-3-5.500ZM9.5 11.500l7-7.5',
  sun: 'M10 13.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10 2.500v1M10 16.500v1M2.5 10h1M16.5 10h1M4.7 4.700l.7.7M14.6 14.600l.7.7M15.3 4.700l-.7.7M5.4 14.600l-.7.7',
  unarchive: 'M3 4h14v4H3ZM4.500 8v8.500h11V8M10 14v-4M8.200 11.800 10 10l1.800 1.800',
  up: 'm5 12.500 5-5 5 5',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.600L14 6',
  warning: 'M10 3.5 17.5 16h-15ZM10 8.500v3.500M10 14v.2',
} as const;

export type Icon = keyof typeof icons;

/** Draws an icon. It is hidden from screen readers: the element around it has a label. */
export function icon(name: Icon): SVGElement {
  const drawing = document.createElementNS(svg, 'svg');
  set(drawing, { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true' });
  const path = document.createElementNS(svg, 'path');
  path.setAttribute('d', icons[name]);
  drawing.append(path);
  return drawing;
}

/** A handler that does the work of a button, or of a form by its button, which says that it is under way, and meanwhile does nothing more. */
export function once<E extends Event>(work: () => Promise<unknown>): (event: E) => void {
  return (event) => {
    const button = event instanceof SubmitEvent ? event.submitter : event.currentTarget;
    if (!(button instanceof HTMLElement) || button.ariaBusy === 'true') return;
    set(button, { 'aria-busy': 'true', 'aria-disabled': 'true' });
    void work().finally(() => set(button, { 'aria-busy': false, 'aria-disabled': false }));
  };
}

/** A button that shows an icon, with a label for screen readers. */
export function iconButton(name: Icon, label: string, onClick: (event: MouseEvent) => void, properties: Properties = {}): HTMLButtonElement {
  return el('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, ...properties, on: { click: onClick } }, icon(name));
}

/** The elements of each parent by the keys of their items. */
const rendered = new WeakMap<Element, Map<string, HTMLElement>>();

/** What can have the focus in an element. */
const focusable = (element: Element): HTMLElement[] => [...element.querySelectorAll<HTMLElement>('button, input, select, [tabindex]')];

/**
 * Renders `items` as the children of `parent`, in order. An element is reused as long as there
 * is an item with its key. What has the focus in it has it again if it was drawn anew, or moved.
 */
export function reconcile<T>(parent: Element, items: readonly T[], key: (item: T) => string, render: (item: T, existing: HTMLElement | undefined) => HTMLElement): void {
  const before = rendered.get(parent) ?? new Map<string, HTMLElement>();
  const focused = document.activeElement;
  const holder = [...before.values()].find((element) => element !== focused && element.contains(focused));
  const place = holder ? focusable(holder).findIndex((element) => element === focused) : -1;
  const after = new Map<string, HTMLElement>();
  for (const item of items) after.set(key(item), render(item, before.get(key(item))));
  rendered.set(parent, after);
  const wanted = new Set<Element>(after.values());
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of after.values()) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  if (holder?.isConnected && !holder.contains(document.activeElement)) focusable(holder)[place]?.focus({ preventScroll: true });
}

const states = new WeakMap<Element, string>();

/** Whether an element was last drawn with this state; remembers the state. */
export function isDrawn(element: Element, ...state: unknown[]): boolean {
  const text = JSON.stringify(state);
  if (states.get(element) === text) return true;
  states.set(element, text);
  return false;
}

/** Announces a text to screen readers by a live region, without moving the focus. */
export function announce(text: string): void {
  document.getElementById('announcer')?.replaceChildren(el('p', {}, text));
}

/** Shows and announces why an action takes a while; an empty text ends that. */
export function sayStatus(text: string): void {
  document.getElementById('waiting')?.replaceChildren(text);
}

/** Shows and announces why an action failed, until that is dismissed; an empty text does so, too. */
export function report(problem: string): void {
  const close = iconButton('close', 'Dismiss', () => report(''));
  document.getElementById('problem')?.replaceChildren(...problem ? [el('p', {}, problem), close] : []);
}
