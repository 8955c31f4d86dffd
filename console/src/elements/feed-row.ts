import { el, icon, isDrawn } from '../dom.ts';
import type { Row } from '../store/feed-log.ts';
import { excerpt, exactTimeOfDay, fullTime, memberCount, timeOf } from '../text.ts';

/** Draws a change: its time, its content, and whether the feed has delivered it. */
export function drawRow(row: Row, existing: HTMLElement | undefined): HTMLElement {
  const element = existing ?? el('li');
  if (isDrawn(element, row)) return element;
  const { cursor, deliveries, whileCut } = row;
  const kind = kindOf(row);
  const time = timeOf(cursor);
  element.className = `event ${deliveries > 0 ? 'delivered' : 'waiting'}`;
  element.replaceChildren(
    el('time', { datetime: time.toISOString(), title: fullTime(time) }, exactTimeOfDay(time)),
    el('span', { class: `kind ${kind}` }, kind),
    el('span', { class: 'what' }, ...what(row)),
    el('code', { class: 'cursor', title: 'The cursor of this change' }, cursor),
    el('span', { class: 'delivery' }, icon(deliveries > 0 ? 'check' : 'clock'), el('span', {}, delivery(deliveries, whileCut))));
  return element;
}

function delivery(deliveries: number, whileCut: boolean): string {
  if (deliveries === 0) return 'stored, has yet to come';
  const times = deliveries === 1 ? 'once' : `${deliveries} times`;
  return whileCut ? `${times}, after resuming` : `came ${times}`;
}

function kindOf({ change: { type, message, group } }: Row): string {
  if (group?.deletedAt) return 'deleted';
  if (type !== 'message' || !message) return type;
  return message.deletedAt ? 'deleted' : message.editedAt ? 'edited' : 'message';
}

function what({ change: { message, readMarker, group, membership } }: Row): (Node | string)[] {
  if (message) {
    const text = message.deletedAt ? el('i', {}, 'nothing is left of it') : el('bdi', {}, excerpt(message.text));
    return [el('b', {}, message.sender), ' to ', el('b', {}, message.recipient), ' ', text];
  }
  if (readMarker) return [el('b', {}, readMarker.user), ' has read what ', el('b', {}, readMarker.peer), ' wrote, up to ', exactTimeOfDay(timeOf(readMarker.messageId))];
  if (group) {
    const name = group.deletedAt ? el('i', {}, 'is no more') : el('bdi', {}, `${excerpt(group.name)}, ${memberCount(group.memberCount)}`);
    return [el('b', {}, group.address), ' ', name];
  }
  if (membership) {
    const { user, role, state } = membership;
    return [el('b', {}, user), ` ${states[state] ?? state} `, el('b', {}, membership.group), state === 'active' ? `, ${role}` : ''];
  }
  return [];
}

/** What happened between a user and a group, by the state of the membership. */
const states: Readonly<Record<string, string>> = { active: 'is in', left: 'has left', removed: 'was removed from' };
