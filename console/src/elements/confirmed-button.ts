import { el, icon, iconButton, type Icon } from '../dom.ts';

/** A button that asks for confirmation: it acts at the second click. It shows its icon, and its label too if it is labelled. */
export function confirmedButton(name: Icon, label: string, question: string, onClick: () => void, { isLabelled = false } = {}): HTMLElement {
  const pressed = (): void => {
    if (button.classList.contains('asking')) return onClick();
    button.classList.add('asking');
    button.setAttribute('aria-label', question);
    button.replaceChildren(icon(name), question);
  };
  const button = isLabelled ? el('button', { type: 'button', class: 'button', on: { click: pressed } }) : iconButton(name, label, pressed);
  const reset = (): void => {
    button.classList.remove('asking');
    button.setAttribute('aria-label', label);
    button.replaceChildren(icon(name), isLabelled ? label : '');
  };
  button.addEventListener('blur', reset);
  reset();
  return button;
}
