/** What a person should look at on an agent, as Events: a clone of it, machines of no contract, ill health. */
import type { Agent } from '../../crds/agent.ts';
import { isTrue } from '../../crds/condition.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Informer } from '../../kube/informer.ts';

const TOLD: readonly string[] = ['Unique', 'Clean', 'Healthy'];

/** Answers how to stop. */
export function recordAgents(agents: Informer<Agent>, recorder: EventRecorder): () => void {
  return agents.onChange((change) => {
    if (change.type !== 'Updated') return;
    const { object, old } = change;
    if (!isTrue(old.status?.conditions, 'Drained') && isTrue(object.status?.conditions, 'Drained'))
      recorder.record({
        regarding: object,
        type: 'Normal',
        reason: 'Drained',
        note: 'Nothing is left on it',
      });
    for (const { type, status, reason, message } of object.status?.conditions ?? []) {
      if (!TOLD.includes(type) || status !== 'False') continue;
      const before = old.status?.conditions?.find((condition) => condition.type === type);
      const isNews =
        before?.status !== 'False' ||
        (type === 'Clean' && countOf(object) > countOf(old)) ||
        (type === 'Healthy' && before.reason !== reason);
      if (isNews) recorder.record({ regarding: object, type: 'Warning', reason, note: message });
    }
  });
}

const countOf = ({ status }: Agent): number => status?.orphans?.count ?? 0;
