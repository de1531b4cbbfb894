import { useEffect, useState } from 'preact/hooks';
import { queryOf } from './call';

/** Where the page is: a name, and what it is about. Both stand in the address, so that every view can be sent to somebody. */
export interface Place {
  page: string;
  about: Record<string, string>;
}

const BASE = '/console/';

export const addressOf = (page: string, about: object = {}) => `${BASE}${page}${queryOf(about)}`;

const read = (): Place => ({
  page: location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : '',
  about: Object.fromEntries(new URLSearchParams(location.search)),
});

export function go(address: string): void {
  history.pushState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Follows links of the console without loading it again. */
export function usePlace(): Place {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const moved = () => setPlace(read());
    const clicked = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest('a') : null;
      if (!link?.pathname.startsWith(BASE) || link.hash || event.ctrlKey || event.metaKey || event.shiftKey)
        return;
      event.preventDefault();
      go(link.href);
    };
    addEventListener('popstate', moved);
    addEventListener('click', clicked);
    return () => {
      removeEventListener('popstate', moved);
      removeEventListener('click', clicked);
    };
  }, []);
  return place;
}
