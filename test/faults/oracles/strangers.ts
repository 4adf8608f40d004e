/** Machines without our tag are nobody's of ours: they stand untouched, and no call was ever about them. */
import type { Oracle } from './evidence.ts';

export const strangersUntouched: Oracle = ({ strangers, machines, records }) =>
  strangers.flatMap((name) => {
    const machine = machines.find(({ host, externalId }) => `${host}/${externalId}` === name);
    const touched = records.filter(({ host, externalId }) => `${host}/${externalId}` === name);
    return [
      ...(machine ? [] : [`${name}, which is not ours, is gone`]),
      ...(machine && machine.state !== 'Running' ? [`${name}, which is not ours, is ${machine.state}`] : []),
      ...touched.map(({ event, at }) => `${name}, which is not ours, was ${event} at ${at}`),
    ];
  });
