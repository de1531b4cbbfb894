import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { coloursOf, draw, LEFT, laneAt, type View } from './draw';
import { firstAt, firstBar, nameOf, short, type Timeline } from './model';

interface Shown {
  timeline: Timeline;
  /** How many events it is of: what it shows has changed when this has. */
  count: number;
  asOf: number | undefined;
  /** Hears what is seen, once it has been at rest for a moment; undefined: all of it, up to now. */
  onView: (view: View | undefined) => void;
}
const AT_REST_MS = 150;

/** The picture of who owned a scope. It moves by drag, wheel, keys and buttons; what it says stands in the table below. */
export function TimelineView({ timeline, count, asOf, onView }: Shown) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = usePicture(canvas, timeline, asOf, onView);
  const [hint, setHint] = useState('');
  useEffect(() => picture.repaint(), [count, asOf]);

  const pixels = () => (canvas.current?.clientWidth ?? LEFT + 1) - LEFT;
  const msAPixel = () => (picture.view().to - picture.view().from) / pixels();
  const timeAt = (x: number) => picture.view().from + (x - LEFT) * msAPixel();
  const zoom = (by: number, around?: number) => {
    const { from, to } = picture.view();
    const fixed = around ?? (from + to) / 2;
    picture.show({ from: fixed - (fixed - from) * by, to: fixed + (to - fixed) * by });
  };
  const pan = (byPixels: number) => {
    const by = byPixels * msAPixel();
    const { from, to } = picture.view();
    picture.show({ from: from + by, to: to + by });
  };
  const showAll = () => picture.show(undefined);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowLeft') pan(-0.1 * pixels());
    else if (event.key === 'ArrowRight') pan(0.1 * pixels());
    else if (event.key === '+') zoom(0.7);
    else if (event.key === '-') zoom(1.4);
    else if (event.key === '0') showAll();
    else return;
    event.preventDefault();
  };
  const onMove = (event: PointerEvent) => {
    if (event.buttons === 1) pan(-event.movementX);
    else setHint(hintAt(timeline, timeAt(event.offsetX), event.offsetY, 6 * msAPixel()));
  };
  /** The wheel scrolls the page, as anywhere, until the picture is clicked on. */
  const onWheel = (event: WheelEvent) => {
    if (!event.ctrlKey && document.activeElement !== canvas.current) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX);
    else zoom(event.deltaY > 0 ? 1.15 : 0.87, timeAt(event.offsetX));
  };
  const current = timeline.bars.at(-1);
  return (
    <>
      <canvas
        ref={canvas}
        class="timeline"
        tabIndex={0}
        role="img"
        aria-label={`Ownership over time: ${timeline.bars.length} spans in ${timeline.lanes.length} lanes, ${timeline.marks.length} ignored stops. Arrows pan, plus and minus zoom, 0 shows all.`}
        data-events={count}
        data-spans={timeline.bars.length}
        data-lanes={timeline.lanes.map((lane) => nameOf(lane)).join('\n')}
        data-current={current && current.to === undefined ? current.lane : ''}
        data-marks={timeline.marks.length}
        onKeyDown={onKey}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onMove}
        onWheel={onWheel}
        onDblClick={showAll}
      />
      <p class="hint">
        <span class="zoom">
          <button type="button" aria-label="Zoom in" onClick={() => zoom(0.5)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={() => zoom(2)}>
            −
          </button>
          <button type="button" onClick={showAll}>
            Show all
          </button>
        </span>
        {hint || 'Drag to pan. Click, then use the wheel to zoom.'}
      </p>
    </>
  );
}

/** Keeps the canvas as the view, the timeline, the theme and the time have it; paints only when one of them has changed. */
function usePicture(
  canvas: RefObject<HTMLCanvasElement | null>,
  timeline: Timeline,
  asOf: number | undefined,
  onView: Shown['onView'],
) {
  const shown = useRef({ timeline, asOf, onView });
  shown.current = { timeline, asOf, onView };
  const state = useRef<{ view?: View | undefined; frame: number; rest: number }>({ frame: 0, rest: 0 });
  const view = (): View => {
    if (state.current.view) return state.current.view;
    const { start } = shown.current.timeline;
    const now = Date.now();
    const span = Math.max(1_000, now - start);
    return { from: start - span * 0.02, to: now + span * 0.04 };
  };
  const colours = useRef<ReturnType<typeof coloursOf> | undefined>(undefined);
  const repaint = () => {
    state.current.frame ||= requestAnimationFrame(() => {
      state.current.frame = 0;
      if (!canvas.current) return;
      colours.current ??= coloursOf(canvas.current);
      draw(canvas.current, shown.current.timeline, view(), shown.current.asOf, colours.current);
    });
  };
  const show = (next: View | undefined) => {
    state.current.view = next;
    repaint();
    clearTimeout(state.current.rest);
    state.current.rest = window.setTimeout(() => shown.current.onView(next), AT_REST_MS);
  };
  useEffect(() => {
    const recolour = () => {
      colours.current = undefined;
      repaint();
    };
    const theme = new MutationObserver(recolour);
    theme.observe(document.documentElement, { attributeFilter: ['class'] });
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', recolour);
    const size = new ResizeObserver(repaint);
    if (canvas.current) size.observe(canvas.current);
    // What goes on grows.
    const clock = setInterval(() => view().to > Date.now() && repaint(), 1_000);
    return () => {
      theme.disconnect();
      scheme.removeEventListener('change', recolour);
      size.disconnect();
      clearInterval(clock);
      clearTimeout(state.current.rest);
      cancelAnimationFrame(state.current.frame);
    };
  }, []);
  return { view, show, repaint };
}

/** What is under the pointer: a mark or a joint before a bar, as they are smaller. */
function hintAt(timeline: Timeline, at: number, y: number, near: number): string {
  const isIn = ({ lane }: { lane: number }) => lane === laneAt(timeline, y);
  const { marks, joints, bars } = timeline;
  const nearest = <One extends { at: number }>(list: readonly One[], laneOf: (one: One) => number) => {
    for (let i = firstAt(list, (one) => one.at, at - near); (list[i]?.at ?? Infinity) <= at + near; i++)
      if (isIn({ lane: laneOf(list[i]!) })) return list[i];
    return undefined;
  };
  const small = nearest(marks, ({ lane }) => lane) ?? nearest(joints, ({ to }) => to);
  if (small) return `${clock(small.at)} ${small.text}`;
  for (let i = firstBar(timeline, at); (bars[i]?.from ?? Infinity) <= at; i++) {
    const bar = bars[i]!;
    if (!isIn(bar)) continue;
    const until = bar.to === undefined ? 'now' : clock(bar.to);
    return `${short(bar.sessionId)} ${bar.status}, ${nameOf(bar.owner)}, epoch ${bar.epoch}, ${clock(bar.from)} to ${until}`;
  }
  return '';
}

/** A moment in UTC; the day is said when it is not today's. */
export function clock(at: number): string {
  const iso = new Date(at).toISOString();
  return iso.startsWith(new Date().toISOString().slice(0, 10))
    ? iso.slice(11, 23)
    : iso.slice(0, 23).replace('T', ' ');
}
