import { icon, iconButton, type Icon } from '../dom.ts';

/** A button that asks for confirmation: it acts at the second click. */
export function confirmedButton(name: Icon, label: string, question: string, onClick: () => void): HTMLElement {
  const button = iconButton(name, label, () => {
    if (button.classList.contains('asking')) return onClick();
    button.classList.add('asking');
    button.setAttribute('aria-label', question);
    button.append(question);
  });
  button.addEventListener('blur', () => {
    button.classList.remove('asking');
    button.setAttribute('aria-label', label);
    button.replaceChildren(icon(name));
  });
  return button;
}
