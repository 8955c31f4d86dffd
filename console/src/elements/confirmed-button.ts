import { el, icon, iconButton, once, type Icon } from '../dom.ts';

/** A button that asks for confirmation: it acts at the second click, and says so until that is done. It shows its icon, and its label too if it is labelled. */
export function confirmedButton(name: Icon, [label, question, underWay]: readonly [string, string, string], work: () => Promise<unknown>, { isLabelled = false } = {}): HTMLElement {
  const say = (text: string, isShown = true): void => {
    button.setAttribute('aria-label', text);
    button.replaceChildren(icon(name), isShown ? text : '');
  };
  const act = once<MouseEvent>(() => {
    say(underWay);
    return work().finally(reset);
  });
  const pressed = (event: MouseEvent): void => {
    if (button.classList.contains('asking')) return act(event);
    button.classList.add('asking');
    say(question);
  };
  const button = isLabelled ? el('button', { type: 'button', class: 'button', on: { click: pressed } }) : iconButton(name, label, pressed);
  const reset = (): void => {
    button.classList.remove('asking');
    say(label, isLabelled);
  };
  button.addEventListener('blur', () => { if (button.ariaBusy !== 'true') reset(); });
  reset();
  return button;
}
