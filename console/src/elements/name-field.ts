import { el } from '../dom.ts';

/** A name that is edited in place: Enter or leaving the field accepts it, Escape restores the old one. */
export function nameField(name: string, label: string, changed: (name: string) => void): HTMLInputElement {
  const field = el('input', {
    class: 'name', 'aria-label': label, title: 'Edit the name', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', maxlength: 128, required: true,
    on: {
      change: () => {
        const value = field.value.trim();
        if (value && value !== name) changed(value);
        else field.value = name;
      },
      keydown: (event) => {
        if (event.key === 'Enter') field.blur();
        if (event.key !== 'Escape') return;
        field.value = name;
        field.blur();
      },
      focus: () => field.select(),
    },
  });
  field.value = name;
  return field;
}
