import { useEffect, useRef, useState } from 'preact/hooks';
import { draw, heightOf, LANE_HEIGHT, LEFT, middleOf, type View } from './draw';
import { nameOf, short, type Timeline } from './model';

interface Shown {
  timeline: Timeline;
  asOf: number | undefined;
}

/** The picture of who owned a scope. It moves by drag, wheel and keys; what it says stands in the table beside it as well. */
export function TimelineView({ timeline, asOf }: Shown) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = useRef<Shown>({ timeline, asOf });
  shown.current = { timeline, asOf };
  /** Undefined: all of it, up to now. */
  const view = useRef<View | undefined>(undefined);
  const [hint, setHint] = useState('');

  const whole = (): View => {
    const { start } = shown.current.timeline;
    const span = Math.max(1_000, Date.now() - start);
    return { from: start - span * 0.02, to: Date.now() + span * 0.04 };
  };
  useEffect(() => {
    let frame = 0;
    const paint = () => {
      if (canvas.current)
        draw(canvas.current, shown.current.timeline, view.current ?? whole(), shown.current.asOf);
      frame = requestAnimationFrame(paint);
    };
    paint();
    return () => cancelAnimationFrame(frame);
  }, []);

  const timeAt = (x: number) => {
    const { from, to } = view.current ?? whole();
    return from + ((x - LEFT) / ((canvas.current?.clientWidth ?? LEFT + 1) - LEFT)) * (to - from);
  };
  const zoom = (by: number, around: number) => {
    const { from, to } = view.current ?? whole();
    view.current = { from: around - (around - from) * by, to: around + (to - around) * by };
  };
  const pan = (by: number) => {
    const { from, to } = view.current ?? whole();
    view.current = { from: from + by * (to - from), to: to + by * (to - from) };
  };
  const onKey = (event: KeyboardEvent) => {
    const { from, to } = view.current ?? whole();
    if (event.key === 'ArrowLeft') pan(-0.1);
    else if (event.key === 'ArrowRight') pan(0.1);
    else if (event.key === '+') zoom(0.7, (from + to) / 2);
    else if (event.key === '-') zoom(1.4, (from + to) / 2);
    else if (event.key === '0') view.current = undefined;
    else return;
    event.preventDefault();
  };
  const onMove = (event: PointerEvent) => {
    if (event.buttons === 1) pan(-event.movementX / ((canvas.current?.clientWidth ?? 1) - LEFT));
    else
      setHint(
        hintAt(
          timeline,
          timeAt(event.offsetX),
          event.offsetY,
          timeAt(event.offsetX + 6) - timeAt(event.offsetX),
        ),
      );
  };
  return (
    <>
      <canvas
        ref={canvas}
        class="timeline"
        tabIndex={0}
        role="img"
        aria-label={`Ownership over time: ${timeline.bars.length} spans in ${timeline.lanes.length} lanes, ${timeline.marks.length} ignored stops. Arrows pan, plus and minus zoom, 0 shows all.`}
        data-lanes={timeline.lanes.map((lane) => nameOf(lane)).join('\n')}
        data-current={timeline.bars.at(-1)?.to === undefined ? timeline.bars.at(-1)?.lane : ''}
        data-marks={timeline.marks.length}
        data-height={heightOf(timeline)}
        onKeyDown={onKey}
        onPointerMove={onMove}
        onWheel={(event) => {
          event.preventDefault();
          zoom(event.deltaY > 0 ? 1.15 : 0.87, timeAt(event.offsetX));
        }}
        onDblClick={() => {
          view.current = undefined;
        }}
      />
      <p class="hint">{hint || 'Drag to pan, turn the wheel to zoom, double-click to show all.'}</p>
    </>
  );
}

/** What is under the pointer: a mark before a bar, as it is smaller. */
function hintAt({ marks, bars }: Timeline, at: number, y: number, near: number): string {
  const isIn = (lane: number) => Math.abs(middleOf(lane) - y) < LANE_HEIGHT / 3;
  const mark = marks.find((one) => isIn(one.lane) && Math.abs(one.at - at) < near);
  if (mark) return mark.text;
  const bar = bars.find((one) => isIn(one.lane) && one.from <= at && (one.to ?? Date.now()) >= at);
  if (!bar) return '';
  const until = bar.to === undefined ? 'now' : new Date(bar.to).toISOString().slice(11, 23);
  return `${short(bar.sessionId)} ${bar.status}, ${nameOf(bar.owner)}, epoch ${bar.epoch}, ${new Date(bar.from).toISOString().slice(11, 23)} to ${until}`;
}
