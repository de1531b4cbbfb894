import { type Bar, short, type Timeline } from './model';

/** What a canvas shows: a span of time. */
export interface View {
  from: number;
  to: number;
}
export const LANE_HEIGHT = 58;
export const LEFT = 150;
const TOP = 30;
const BAR = 20;

export const heightOf = (timeline: Timeline) => TOP + Math.max(1, timeline.lanes.length) * LANE_HEIGHT + 10;
export const middleOf = (lane: number) => TOP + lane * LANE_HEIGHT + LANE_HEIGHT / 2;

/** The first bar that reaches into the span; bars follow each other, so ends are in order as well. */
function firstIn(bars: readonly Bar[], from: number): number {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bars[middle]?.to ?? Number.POSITIVE_INFINITY) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Draws what is within the view. What is narrower than a pixel is drawn once a pixel, so that a frame's cost has a bound. */
export function draw(
  canvas: HTMLCanvasElement,
  timeline: Timeline,
  view: View,
  asOf: number | undefined,
): void {
  const pen = canvas.getContext('2d');
  if (!pen) return;
  const width = canvas.clientWidth;
  const height = heightOf(timeline);
  const ratio = window.devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(`--${name}`);
  const x = (at: number) => LEFT + ((at - view.from) / (view.to - view.from)) * (width - LEFT);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = '12px system-ui, sans-serif';
  drawGrid(pen, view, x, height, colour);
  pen.save();
  pen.beginPath();
  pen.rect(LEFT, 0, width - LEFT, height);
  pen.clip();
  drawBars(pen, timeline, view, x, colour);
  drawJoints(pen, timeline, view, x, colour);
  pen.strokeStyle = colour('refused');
  pen.lineWidth = 2;
  for (const { at, lane } of timeline.marks) {
    if (at < view.from || at > view.to) continue;
    const [cx, cy] = [x(at), middleOf(lane)];
    pen.beginPath();
    pen.moveTo(cx - 5, cy - 5);
    pen.lineTo(cx + 5, cy + 5);
    pen.moveTo(cx + 5, cy - 5);
    pen.lineTo(cx - 5, cy + 5);
    pen.stroke();
  }
  if (asOf !== undefined) {
    pen.strokeStyle = colour('accent');
    pen.lineWidth = 1;
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(x(asOf), TOP);
    pen.lineTo(x(asOf), height);
    pen.stroke();
    pen.setLineDash([]);
  }
  pen.restore();
  timeline.lanes.forEach(({ environment, instance }, lane) => {
    pen.fillStyle = colour('ink');
    pen.font = '600 12px system-ui, sans-serif';
    pen.fillText(environment, 0, middleOf(lane) - (instance === undefined ? -4 : 2), LEFT - 12);
    pen.fillStyle = colour('dim');
    pen.font = '12px system-ui, sans-serif';
    if (instance !== undefined) pen.fillText(instance, 0, middleOf(lane) + 14, LEFT - 12);
  });
}

type Pen = CanvasRenderingContext2D;
type Place = (at: number) => number;
type Colour = (name: string) => string;

function drawBars(pen: Pen, { bars }: Timeline, view: View, x: Place, colour: Colour): void {
  const colours = new Map<string, string>();
  const drawn = new Map<number, number>();
  for (let i = firstIn(bars, view.from); i < bars.length; i++) {
    const bar = bars[i];
    if (!bar || bar.from > view.to) break;
    const left = Math.max(LEFT - 4, x(bar.from));
    const wide = Math.max(1, Math.min(x(bar.to ?? Date.now()), pen.canvas.width) - left);
    const column = Math.floor(left + wide);
    if (wide < 2 && drawn.get(bar.lane) === column) continue;
    drawn.set(bar.lane, column);
    const fill = colours.get(bar.status) ?? colour(bar.status);
    colours.set(bar.status, fill);
    pen.fillStyle = fill;
    pen.globalAlpha = bar.to === undefined ? 1 : 0.5;
    pen.beginPath();
    pen.roundRect(left, middleOf(bar.lane) - BAR / 2, wide, BAR, Math.min(3, wide / 2));
    pen.fill();
    pen.globalAlpha = 1;
    if (wide < 80) continue;
    pen.fillStyle = bar.to === undefined ? colour('panel') : colour('ink');
    pen.fillText(short(bar.sessionId), left + 8, middleOf(bar.lane) + 4);
  }
}

function drawJoints(pen: Pen, { joints }: Timeline, view: View, x: Place, colour: Colour): void {
  pen.strokeStyle = colour('accent');
  pen.fillStyle = colour('dim');
  pen.lineWidth = 1.5;
  const labelled = new Map<number, number>();
  let column = -1;
  for (const { at, from, to, label } of joints) {
    if (at < view.from || at > view.to) continue;
    const cx = x(at);
    if (Math.floor(cx) !== column) {
      pen.beginPath();
      if (from !== undefined && from !== to) {
        pen.moveTo(cx - 5, middleOf(from));
        pen.bezierCurveTo(cx + 3, middleOf(from), cx - 3, middleOf(to), cx + 5, middleOf(to));
      } else pen.arc(cx, middleOf(to), 4, 0, 7);
      pen.stroke();
      column = Math.floor(cx);
    }
    if (cx < (labelled.get(to) ?? 0)) continue;
    pen.fillText(label, cx + 3, middleOf(to) - BAR / 2 - 5);
    labelled.set(to, cx + pen.measureText(label).width + 12);
  }
}

const STEPS = [
  1, 5, 10, 100, 500, 1e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 18e5, 36e5, 216e5, 864e5, 6048e5, 2592e6,
];

function drawGrid(pen: Pen, view: View, x: Place, height: number, colour: Colour): void {
  const step = STEPS.find((ms) => (view.to - view.from) / ms < 9) ?? 31536e6;
  pen.strokeStyle = colour('line');
  pen.fillStyle = colour('dim');
  pen.lineWidth = 1;
  for (let at = Math.ceil(view.from / step) * step; at < view.to; at += step) {
    pen.beginPath();
    pen.moveTo(x(at), TOP);
    pen.lineTo(x(at), height);
    pen.stroke();
    const iso = new Date(at).toISOString();
    pen.fillText(step >= 864e5 ? iso.slice(0, 10) : iso.slice(11, step < 1e3 ? 23 : 19), x(at) - 24, 18);
  }
}
