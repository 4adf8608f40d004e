/** SIGKILL for what runs in this process: everything that it calls goes through here, and here it ends. */

/** After death no call begins, and none that was under way comes back: what a process is after SIGKILL. */
export function mortalBy(death: AbortSignal) {
  const forever = new Promise<never>(() => undefined);
  return <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (death.aborted) return forever;
          const result: unknown = Reflect.apply(member, object, args);
          if (!(result instanceof Promise)) return result;
          return result.then(
            (value: unknown) => (death.aborted ? forever : value),
            (error: unknown) => (death.aborted ? forever : Promise.reject(error)),
          );
        };
      },
    });
}
