/** Reads the banner and host key of a machine, again and again until they come or the time is over. */
import { messageOf } from '../failure.ts';
import { SshProbeError } from '../ssh-probe.ts';
import type { Context } from './context.ts';

const PROBE_EVERY_MS = 500;
const PROBE_MS = 5000;

type Target = Readonly<{ host: string; port: number; hostKeyFingerprint?: string | undefined }>;
type Seen = Readonly<{ hostKeyFingerprint: string }> | Readonly<{ why: string }>;

/** `why`: nothing answered in time, or with another key than the provisioner named. Throws when it is aborted. */
export async function awaitSsh(context: Context, target: Target, signal: AbortSignal): Promise<Seen> {
  const { host, port } = target;
  const startedMs = context.clock.monotonicMs();
  for (;;) {
    const seen = await probe(context, target, signal);
    signal.throwIfAborted();
    if ('hostKeyFingerprint' in seen) {
      const named = target.hostKeyFingerprint;
      if (!named || named === seen.hostKeyFingerprint) return seen;
      return {
        why: `${host}:${port} shows host key ${seen.hostKeyFingerprint}, the provisioner named ${named}`,
      };
    }
    const waitedMs = context.clock.monotonicMs() - startedMs;
    if (seen.isFinal || waitedMs >= context.limits.sshTimeoutMs)
      return { why: `no SSH server at ${host}:${port} after ${Math.round(waitedMs / 1000)} s: ${seen.why}` };
    await context.clock.sleep(PROBE_EVERY_MS, { signal });
  }
}

async function probe(
  context: Context,
  { host, port }: Target,
  signal: AbortSignal,
): Promise<Readonly<{ hostKeyFingerprint: string } | { why: string; isFinal: boolean }>> {
  try {
    return await context.probeSsh({ host, port, timeoutMs: PROBE_MS, signal });
  } catch (error) {
    return { why: messageOf(error), isFinal: error instanceof SshProbeError && !error.isRetryable };
  }
}
