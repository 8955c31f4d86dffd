import { el } from '../dom.ts';
import { session } from '../session.ts';

/** A name that is edited in place: Enter or leaving the field accepts it, Escape restores the old one. That of the only user of the session stays. */
export function nameField(name: string, label: string, changed: (name: string) => void): HTMLInputElement {
  const field = el('input', {
    class: 'name', 'aria-label': label, title: 'Edit the name', readonly: name !== '' && session.user !== undefined, spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', maxlength: 128, required: true,
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
