import { EventEmitter } from 'node:events';
import { type CallSessions, type Resolved, SessionReference, type SessionResolver } from '#client';

/** The ways on which a call reaches the resolver. */
export const callPaths: Record<string, (resolver: SessionResolver, call: CallSessions) => Promise<Resolved>> =
  {
    'a static method': (resolver, call) => resolver.resolve(call),
    'an instance method': (resolver, call) =>
      new (class {
        invoke = () => resolver.resolve(call);
      })().invoke(),
    'a constructor': (resolver, call) =>
      new (class {
        answer = resolver.resolve(call);
      })().answer,
    'reading a field': (resolver, call) =>
      ({
        get field() {
          return resolver.resolve(call);
        },
      }).field,
    'writing a field': (resolver, call) => {
      let answer = resolver.resolve(call);
      const object = {
        set field(_: number) {
          answer = resolver.resolve(call);
        },
      };
      answer.catch(() => {});
      object.field = 1;
      return answer;
    },
    'after an await': async (resolver, call) => {
      await Promise.resolve();
      return resolver.resolve(call);
    },
    'a timer': (resolver, call) =>
      new Promise((resolve, reject) => setTimeout(() => resolver.resolve(call).then(resolve, reject), 1)),
    'a microtask': (resolver, call) =>
      new Promise((resolve, reject) => queueMicrotask(() => resolver.resolve(call).then(resolve, reject))),
    'an event': (resolver, call) => {
      const events = new EventEmitter();
      return new Promise((resolve, reject) => {
        events.once('call', () => resolver.resolve(call).then(resolve, reject));
        events.emit('call');
      });
    },
    'a generator': async (resolver, call) => {
      async function* calls() {
        yield await resolver.resolve(call);
      }
      for await (const answer of calls()) return answer;
      throw new Error('nothing came');
    },
    'many at once': async (resolver, call) =>
      (await Promise.all([1, 2, 3].map(() => resolver.resolve(call))))[2] as Resolved,
    'a reference from another runtime': (resolver, call) =>
      resolver.resolve({
        ...call,
        references: (call.references ?? []).map((one) =>
          'kind' in one ? one : SessionReference.parse(JSON.parse(JSON.stringify(one))),
        ),
      }),
  };
