/** A metric factory of one registry, and the type of what turns facts into metrics. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Observation } from '../observation.ts';

export type Report = (fact: Observation) => void;

export function metricsOf(registry: Registry) {
  const registers = [registry];
  return {
    counter: <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Counter({ name, help, labelNames: [...labelNames], registers }),
    /** `collect` runs before each scrape. */
    gauge: <L extends string>(
      name: string,
      help: string,
      labelNames: readonly L[],
      collect: (metric: Gauge<L>) => void = () => {},
    ) => {
      const metric: Gauge<L> = new Gauge({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        collect: () => collect(metric),
      });
      return metric;
    },
    histogram: <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
      new Histogram({ name, help, labelNames: [...labelNames], buckets, registers }),
  };
}
