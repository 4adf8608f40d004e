/** Structured logs: a constant message with fields, one JSON object a line, to the given stream or stdout. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields that may hold a secret are never written. */
const REDACTED = ['token', 'privateKey', 'seed', 'authorization', 'req.headers.authorization', '*.secret'];

export function createLogger(options: {
  name: string;
  level?: LogLevel;
  destination?: DestinationStream;
}): Logger {
  const { name, level = 'info', destination } = options;
  const settings = {
    name,
    level,
    redact: REDACTED,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination ? pino(settings, destination) : pino(settings);
}
