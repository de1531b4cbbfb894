import { CURRENT_STATUSES } from '#client';
import { firstAt, firstBar, short, type Timeline } from './model';

/** What a canvas shows: a span of time. */
export interface View {
  from: number;
  to: number;
}
export const LEFT = 150;
const TOP = 30;
/** Many lanes stand closer together: the picture stays on a screen, and a frame has less to paint. */
const FEW_LANES = 8;
const SIZES = { few: { lane: 58, bar: 20 }, many: { lane: 34, bar: 14 } };
const sizesOf = ({ lanes }: Timeline) => (lanes.length > FEW_LANES ? SIZES.many : SIZES.few);
/** Joints and marks that are closer together than this, in pixels, are drawn as one: a zoom shows them apart. */
const APART = 6;

const heightOf = (timeline: Timeline) =>
  TOP + Math.max(1, timeline.lanes.length) * sizesOf(timeline).lane + 10;
/** The lane at a height. */
export const laneAt = (timeline: Timeline, y: number) => Math.floor((y - TOP) / sizesOf(timeline).lane);

type Colours = Record<string, string>;
const NAMES = ['ink', 'dim', 'line', 'panel', 'accent', 'refused', ...CURRENT_STATUSES];
/** The colours of the page as it is, dark or light. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`)]));
}

/** Everything that draws: where to, what, and where a moment stands. */
interface Sheet {
  pen: CanvasRenderingContext2D;
  timeline: Timeline;
  view: View;
  width: number;
  height: number;
  colours: Colours;
  bar: number;
  x: (at: number) => number;
  middleOf: (lane: number) => number;
}
const ink = ({ colours }: Sheet, name: string) => colours[name] ?? '';

/** Draws what is within the view. What is narrower than a pixel is drawn once a pixel: a frame's cost has a bound. */
export function draw(
  canvas: HTMLCanvasElement,
  timeline: Timeline,
  view: View,
  asOf: number | undefined,
  colours: Colours,
): void {
  const pen = canvas.getContext('2d', { alpha: false });
  if (!pen) return;
  const [width, height] = [canvas.clientWidth, heightOf(timeline)];
  sizeTo(canvas, pen, width, height);
  const scale = (width - LEFT) / (view.to - view.from);
  const x = (at: number) => LEFT + (at - view.from) * scale;
  const { lane: laneHeight, bar } = sizesOf(timeline);
  const middleOf = (lane: number) => TOP + (lane + 0.5) * laneHeight;
  const sheet: Sheet = { pen, timeline, view, width, height, colours, bar, x, middleOf };
  pen.fillStyle = ink(sheet, 'panel');
  pen.fillRect(0, 0, width, height);
  drawGrid(sheet);
  pen.save();
  pen.beginPath();
  pen.rect(LEFT, 0, width - LEFT, height);
  pen.clip();
  drawBars(sheet);
  drawJoints(sheet);
  drawMarks(sheet);
  if (asOf !== undefined) drawMoment(sheet, asOf);
  pen.restore();
  drawLanes(sheet);
}

/** As many pixels as the screen has. */
function sizeTo(
  canvas: HTMLCanvasElement,
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
): void {
  const ratio = window.devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.font = '12px system-ui, sans-serif';
}

function drawBars(sheet: Sheet): void {
  const { pen, timeline, view, width, bar: barHeight, x, middleOf } = sheet;
  const { bars } = timeline;
  const now = Date.now();
  /** Up to which pixel a lane is drawn. */
  const drawn: number[] = [];
  for (let i = firstBar(timeline, view.from); i < bars.length; i++) {
    const bar = bars[i]!;
    if (bar.from > view.to) break;
    const left = Math.max(LEFT - 4, x(bar.from));
    const right = Math.min(x(bar.to ?? now), width + 4);
    const isOpen = bar.to === undefined;
    pen.globalAlpha = isOpen ? 1 : 0.5;
    const top = middleOf(bar.lane) - barHeight / 2;
    if (right - left < APART && !isOpen) {
      // Whole pixels, each once.
      const first = Math.max(Math.floor(left), drawn[bar.lane] ?? 0);
      const end = Math.max(Math.floor(left) + 1, Math.floor(right));
      if (end <= first) continue;
      drawn[bar.lane] = end;
      pen.fillStyle = ink(sheet, bar.status);
      pen.fillRect(first, top, end - first, barHeight);
      continue;
    }
    const wide = Math.max(2, right - left);
    pen.fillStyle = ink(sheet, bar.status);
    pen.beginPath();
    pen.roundRect(left, top, wide, barHeight, Math.min(3, wide / 2));
    pen.fill();
    if (wide < 80) continue;
    pen.globalAlpha = 1;
    pen.fillStyle = ink(sheet, isOpen ? 'panel' : 'ink');
    pen.fillText(short(bar.sessionId), left + 8, middleOf(bar.lane) + 4);
  }
  pen.globalAlpha = 1;
}

function drawJoints(sheet: Sheet): void {
  const { pen, timeline, view, bar, x, middleOf } = sheet;
  const { joints } = timeline;
  pen.strokeStyle = ink(sheet, 'accent');
  pen.fillStyle = ink(sheet, 'dim');
  pen.lineWidth = 1.5;
  pen.beginPath();
  /** Where a lane's last label ends. */
  const labelled: number[] = [];
  for (let i = firstAt(joints, timeOf, view.from); i < joints.length; ) {
    const { at, from, to, label } = joints[i]!;
    if (at > view.to) break;
    const cx = x(at);
    let count = 1;
    while (i + count < joints.length && x(joints[i + count]!.at) - cx < APART) count += 1;
    i += count;
    const y = middleOf(to);
    if (from !== undefined && from !== to) {
      pen.moveTo(cx - 5, middleOf(from));
      pen.bezierCurveTo(cx + 3, middleOf(from), cx - 3, y, cx + 5, y);
    } else {
      pen.moveTo(cx + 4, y);
      pen.arc(cx, y, 4, 0, 7);
    }
    if (cx < (labelled[to] ?? 0)) continue;
    const text = count === 1 ? label : `${count} changes`;
    pen.fillText(text, cx + 3, y - bar / 2 - 4);
    labelled[to] = cx + pen.measureText(text).width + 12;
  }
  pen.stroke();
}

function drawMarks(sheet: Sheet): void {
  const { pen, timeline, view, x, middleOf } = sheet;
  const { marks } = timeline;
  pen.strokeStyle = ink(sheet, 'refused');
  pen.lineWidth = 2;
  pen.beginPath();
  const last: number[] = [];
  for (let i = firstAt(marks, timeOf, view.from); i < marks.length; i++) {
    const { at, lane } = marks[i]!;
    if (at > view.to) break;
    const [cx, cy] = [x(at), middleOf(lane)];
    if (cx - (last[lane] ?? Number.NEGATIVE_INFINITY) < APART) continue;
    last[lane] = cx;
    pen.moveTo(cx - 5, cy - 5);
    pen.lineTo(cx + 5, cy + 5);
    pen.moveTo(cx + 5, cy - 5);
    pen.lineTo(cx - 5, cy + 5);
  }
  pen.stroke();
}

const timeOf = ({ at }: { at: number }) => at;

function drawMoment(sheet: Sheet, at: number): void {
  const { pen, height, x } = sheet;
  pen.strokeStyle = ink(sheet, 'accent');
  pen.lineWidth = 1;
  pen.setLineDash([3, 3]);
  pen.beginPath();
  pen.moveTo(x(at), TOP);
  pen.lineTo(x(at), height);
  pen.stroke();
  pen.setLineDash([]);
}

function drawLanes(sheet: Sheet): void {
  const { pen, timeline, middleOf } = sheet;
  timeline.lanes.forEach(({ environment, instance }, lane) => {
    pen.fillStyle = ink(sheet, 'ink');
    pen.font = '600 12px system-ui, sans-serif';
    pen.fillText(environment, 0, middleOf(lane) - (instance === undefined ? -4 : 2), LEFT - 12);
    pen.fillStyle = ink(sheet, 'dim');
    pen.font = '12px system-ui, sans-serif';
    if (instance !== undefined) pen.fillText(instance, 0, middleOf(lane) + 14, LEFT - 12);
  });
}

const DAY = 864e5;
const STEPS = [
  1,
  5,
  10,
  100,
  500,
  1e3,
  5e3,
  1e4,
  3e4,
  6e4,
  3e5,
  6e5,
  18e5,
  36e5,
  216e5,
  DAY,
  7 * DAY,
  30 * DAY,
];

function drawGrid(sheet: Sheet): void {
  const { pen, view, height, x } = sheet;
  const step = STEPS.find((ms) => (view.to - view.from) / ms < 9) ?? 365 * DAY;
  pen.strokeStyle = ink(sheet, 'line');
  pen.fillStyle = ink(sheet, 'dim');
  pen.lineWidth = 1;
  pen.beginPath();
  for (let at = Math.ceil(view.from / step) * step; at < view.to; at += step) {
    pen.moveTo(x(at), TOP);
    pen.lineTo(x(at), height);
    const iso = new Date(at).toISOString();
    pen.fillText(step >= DAY ? iso.slice(0, 10) : iso.slice(11, step < 1e3 ? 23 : 19), x(at) - 24, 18);
  }
  pen.stroke();
}
