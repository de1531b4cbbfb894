import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Shown {
  labelledBy: string;
  closed(): void;
  children: ComponentChildren;
}

/** The browser's own dialog: it holds the focus, Escape closes it, and the focus goes back to where it was. */
export function Modal({ labelledBy, closed, children }: Shown) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={labelledBy} onClose={closed}>
      {children}
    </dialog>
  );
}
