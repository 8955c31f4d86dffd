import { set } from '../dom.ts';

const svg = 'http://www.w3.org/2000/svg';
const width = 600;
const height = 120;

/** Draws one rate a second, the newest at the right, with room for `maxSamples`. */
export function rateChart(rates: readonly number[], maxSamples: number): SVGElement {
  const highest = Math.max(1, ...rates);
  const chart = document.createElementNS(svg, 'svg');
  set(chart, { class: 'chart', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `The last ${rates.length} seconds; at most ${Math.round(highest)}` });
  const at = (rate: number, i: number): string => `${(width - (rates.length - 1 - i) * (width / (maxSamples - 1))).toFixed(1)},${(height - 2 - (rate / highest) * (height - 10)).toFixed(1)}`;
  const points = rates.map(at);
  const [first] = points;
  if (!first) return chart;
  const area = document.createElementNS(svg, 'polygon');
  area.setAttribute('points', `${first.split(',')[0]},${height} ${points.join(' ')} ${width},${height}`);
  const line = document.createElementNS(svg, 'polyline');
  set(line, { points: points.join(' '), 'vector-effect': 'non-scaling-stroke' });
  chart.append(area, line);
  return chart;
}
