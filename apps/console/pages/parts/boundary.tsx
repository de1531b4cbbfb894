import { Component, type ComponentChildren } from 'preact';
import { reasonOf } from '../../data/call';

interface Caught {
  error: unknown;
  place: string;
}

/** A page that cannot show what it was answered says so in its own place, until another place is shown: the rest stays. */
export class Boundary extends Component<
  { place: string; children?: ComponentChildren },
  { caught?: Caught }
> {
  override state: { caught?: Caught } = {};

  override componentDidCatch(error: unknown) {
    this.setState({ caught: { error, place: this.props.place } });
  }

  override render() {
    const { caught } = this.state;
    if (caught?.place !== this.props.place) return this.props.children;
    return (
      <section class="card" role="alert">
        <h1>This page cannot show the service's answer</h1>
        <p>
          The service may have another version than this page. Reload the page. If that does not help, use{' '}
          <a href="/docs">the API</a>.
        </p>
        <p class="dim">{reasonOf(caught.error)}</p>
        <button type="button" onClick={() => location.reload()}>
          Reload the page{' '}
        </button>
      </section>
    );
  }
}
