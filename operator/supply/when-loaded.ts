/** A controller that looks at all of its objects once more when PostgreSQL was read later than it began. */
import type { Controller } from '../../kube/controller.ts';
import type { ObjectKey } from '../../kube/object.ts';
import type { AttemptBook } from './attempt-book.ts';

type Again = Readonly<{ book: Pick<AttemptBook, 'onLateLoad'>; keys: () => readonly ObjectKey[] }>;

export const whenLoaded = (controller: Controller, { book, keys }: Again): Controller => ({
  ...controller,
  run: async (signal) => {
    const stop = book.onLateLoad(() => {
      for (const key of keys()) controller.enqueue(key, 'Low');
    });
    try {
      await controller.run(signal);
    } finally {
      stop();
    }
  },
});
