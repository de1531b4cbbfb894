import type { Handle } from '../handles.js';
import type { Draft } from './index.js';

const none: readonly Handle[] = [];

/** The handles that a command may bind. */
export function newHandlesIn(command: Draft): readonly Handle[] {
  switch (command.type) {
    case 'StartSession':
      return command.handles ?? none;
    case 'RotateSession': {
      const { successorHandle, handles = none } = command;
      return successorHandle ? [successorHandle, ...handles] : handles;
    }
    case 'ChangeHandles':
      return command.bind;
    default:
      return none;
  }
}

/** All handles that a command names. */
export function handlesIn(command: Draft): readonly Handle[] {
  return command.type === 'ChangeHandles' ? [...command.bind, ...command.unbind] : newHandlesIn(command);
}

/** The same command, with its handles under other names. */
export function renameHandles<C extends Draft>(command: C, rename: <H extends Handle>(handle: H) => H): C {
  switch (command.type) {
    case 'StartSession':
      return command.handles ? { ...command, handles: command.handles.map(rename) } : command;
    case 'RotateSession': {
      const { successorHandle, handles } = command;
      return {
        ...command,
        ...(successorHandle && { successorHandle: rename(successorHandle) }),
        ...(handles && { handles: handles.map(rename) }),
      };
    }
    case 'ChangeHandles':
      return { ...command, bind: command.bind.map(rename), unbind: command.unbind.map(rename) };
    default:
      return command;
  }
}
