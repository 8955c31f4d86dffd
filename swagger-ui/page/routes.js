import { contractOf, idOf } from './document.js';

// followAddress opens what the fragment of the URL names: an operation, one of its fields, or a
// schema.
export function followAddress(system) {
  const [tag, name, field] = location.hash.replace(/^#\//, '').split('/').map(decodeSafely);
  if (tag === 'schemas') return reveal(`schema-${name}`);
  const operation = contractOf(system).byId.get(name);
  if (!operation) return undefined;
  system.layoutActions.show(['operations', operation.tag, operation.id], true);
  return reveal(idOf(operation), field && idOf(operation, field));
}

function decodeSafely(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// reveal waits up to 60 frames for an element, then scrolls to it and focuses it. If the inner
// element does not appear within half of them, it takes the outer one.
function reveal(id, inner) {
  let left = 60;
  const look = () => {
    const found = document.getElementById(inner || id) || (left < 30 ? document.getElementById(id) : null);
    left -= 1;
    if (!found) return left > 0 ? requestAnimationFrame(look) : undefined;
    if (found.tagName === 'DETAILS') found.open = true;
    found.scrollIntoView();
    found.classList.add('found');
    return (found.querySelector('summary, button, input') || found).focus({ preventScroll: true });
  };
  for (const other of document.querySelectorAll('.found')) other.classList.remove('found');
  look();
}
