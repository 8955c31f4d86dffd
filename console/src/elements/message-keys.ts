/** Moves the focus among messages by the arrow keys, Home and End (a roving tabindex). */
export function moveAmongMessages(event: KeyboardEvent, list: HTMLElement): void {
  const { target } = event;
  if (!(target instanceof HTMLElement)) return;
  const messages = [...list.querySelectorAll<HTMLElement>('.message')];
  const current = target.closest<HTMLElement>('.message');
  if (event.key === 'Escape' && current && target !== current) return current.focus();
  const place = current ? messages.indexOf(current) : -1;
  const next = messages[{ ArrowUp: place - 1, ArrowDown: place + 1, Home: 0, End: messages.length - 1 }[event.key] ?? -1];
  if (!next) return;
  event.preventDefault();
  for (const message of messages) message.tabIndex = message === next ? 0 : -1;
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}
